import type { SpanDetail } from '../api.js'
import { Mark } from '../store/columns.js'
import type { Logs } from '../store/logs.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import type { Errors } from './errors.js'
import { KINDS } from './kinds.js'
import { logRow } from './logs.js'
import { Needle } from './needle.js'
import { milliseconds, plainAttributes, plainText } from './plain.js'
import { parseStack } from './stack.js'

const STATUS = ['unset', 'ok', 'error'] as const

/** Most spans that are told to link to one. */
const MAX_LINKED = 50

/** `GET /api/trace/:traceId/span/:spanId`, or undefined when the trace has no such span. */
export function spanDetail(
  { store, logs, errors }: { store: Store; logs: Logs; errors: Errors },
  trace: Trace,
  spanId: string,
): SpanDetail | undefined {
  const row = store.find(trace, spanId)
  if (row < 0) return undefined
  const span = store.decode(row)
  const origin = store.lanes.of(store.columns.lane[row]!)
  const { scope } = store.lanes.scopes.value(store.columns.scope[row]!)
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: KINDS[span.kind]!,
    start: milliseconds(span.startTimeUnixNano),
    duration: store.columns.duration(row),
    status: { code: STATUS[span.status.code], message: span.status.message },
    traceState: span.traceState,
    attributes: plainAttributes(span.attributes),
    events: span.events.map(({ timeUnixNano, name, attributes }) => ({
      time: milliseconds(timeUnixNano),
      name,
      attributes: plainAttributes(attributes),
      ...(name === 'exception' && { stack: parseStack(plainText(attributes['exception.stacktrace'])) }),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      attributes: plainAttributes(link.attributes),
    })),
    linkedFrom: linkedFrom(store, span.traceId, span.spanId),
    errorGroup: errors.groupOf(trace, row),
    resource: plainAttributes(origin.resource.attributes),
    process: origin.processKey,
    scope: { name: scope.name, version: scope.version },
    dropped: {
      attributes: span.droppedAttributesCount,
      events: span.droppedEventsCount,
      links: span.droppedLinksCount,
    },
    logs: logs
      .ofTrace(span.traceId)
      .filter(({ record }) => record.spanId === span.spanId)
      .map((entry) => {
        const { time, severity, body, attributes } = logRow(entry)
        return { time, severity, body, attributes }
      }),
  }
}

/** The spans of any trace whose links name a span: looked for in the encoded bytes of those that have links. */
function linkedFrom(store: Store, traceId: string, spanId: string): SpanDetail['linkedFrom'] {
  const { columns, lanes, names } = store
  const needle = new Needle(Buffer.from(spanId, 'hex'))
  const found: SpanDetail['linkedFrom'] = []
  for (const trace of store.traces.values()) {
    for (const row of store.rows(trace)) {
      if ((columns.marks[row]! & Mark.links) === 0) continue
      const { bytes, start, end } = store.encoded(row)
      if (!needle.in(bytes, start, end)) continue
      if (!store.decode(row).links.some((link) => link.traceId === traceId && link.spanId === spanId))
        continue
      found.push({
        traceId: trace.id,
        spanId: columns.spanId(row),
        name: names.value(columns.name[row]!),
        service: lanes.of(columns.lane[row]!).service,
      })
      if (found.length === MAX_LINKED) return found
    }
  }
  return found
}
