import { threadLabel } from '../queries/columns.js'
import { plainAttributes } from '../queries/plain.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import type { Pieces } from './format.js'
import { isHeld, nanosOf, rowsByStart } from './rows.js'

const HEADER = [
  'trace_id',
  'span_id',
  'parent_span_id',
  'service',
  'host',
  'pid',
  'thread',
  'name',
  'kind',
  'start',
  'duration_ms',
  'queue_wait_ms',
  'status',
  'status_message',
  'scope',
  'attributes',
]

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer']
const STATUSES = ['unset', 'ok', 'error']

/**
 * A row for each span (RFC 4180), trace by trace and by start, in UTF-8: `start` is UTC with nanoseconds, `attributes` JSON. A text that a spreadsheet would
 * take for a formula has an apostrophe before it (OWASP, "CSV Injection").
 */
export function* csvExport(store: Store, traces: readonly Trace[]): Pieces {
  const { columns, lanes } = store
  yield line(HEADER)
  for (const trace of traces) {
    if (!isHeld(store, trace)) continue
    const { rows, origin } = rowsByStart(store, [trace])
    for (const row of rows) {
      if (!isHeld(store, trace)) break
      const span = store.decode(row)
      const lane = columns.lane[row]!
      const { service, host, pid } = lanes.of(lane)
      const { start, end } = nanosOf(store, row, origin)
      const wait = store.scan(row).scan.wait
      yield line([
        span.traceId,
        span.spanId,
        span.parentSpanId,
        text(service),
        text(host),
        pid ?? '',
        text(threadLabel(lanes.lanes.value(lane))),
        text(span.name),
        KINDS[span.kind] ?? '',
        instant(columns.startNano(row)),
        (end - start) / 1e6,
        wait > 0 && Number.isFinite(wait) ? wait : '',
        STATUSES[span.status.code]!,
        text(span.status.message),
        text(lanes.scopes.value(columns.scope[row]!).scope.name),
        text(JSON.stringify(plainAttributes(span.attributes))),
      ])
    }
  }
}

function line(cells: readonly (string | number)[]): string {
  return `${cells.map(quoted).join(',')}\r\n`
}

function quoted(cell: string | number): string {
  if (typeof cell === 'number') return String(cell)
  return /[",\r\n']/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** Text from outside: with an apostrophe where a spreadsheet would compute it. Full-width signs count as their ASCII forms do. */
function text(value: string): string {
  return /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(value) ? `'${value}` : value
}

function instant(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString()
  return `${date.slice(0, 19)}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`
}
