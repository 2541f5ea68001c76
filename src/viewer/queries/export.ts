import { spanToJson } from '../../otlp/json.js'
import { resourceToJson, scopeToJson } from '../../otlp/json-write.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { byStart, threadLabel } from './columns.js'
import { plainAttributes } from './plain.js'

/** Pieces of text that make one JSON document: a large trace is never one string in memory. */
export type Pieces = Generator<string, void>

/** `export?format=otlp`: the trace as one OTLP/JSON `TracesData` object on one line, spans in order of arrival. */
export function* otlpExport(store: Store, trace: Trace): Pieces {
  const { lanes, columns } = store
  const groups = new Map<string, number[]>()
  for (const row of store.rows(trace)) {
    const key = `${lanes.lanes.value(columns.lane[row]!).origin} ${columns.scope[row]}`
    const rows = groups.get(key)
    if (rows === undefined) groups.set(key, [row])
    else rows.push(row)
  }
  let first = true
  yield '{"resourceSpans":['
  for (const rows of groups.values()) {
    const origin = lanes.of(columns.lane[rows[0]!]!)
    const inner = lanes.scopes.value(columns.scope[rows[0]!]!)
    const resource = resourceToJson(origin.resource)
    const scope = scopeToJson(inner.scope)
    const separator = first ? '' : ','
    yield `${separator}{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`
    for (const [i, row] of rows.entries())
      yield (i === 0 ? '' : ',') + JSON.stringify(spanToJson(store.decode(row)))
    yield `]${schemaToJson(inner.schemaUrl)}}]${schemaToJson(origin.schemaUrl)}}`
    first = false
  }
  yield ']}\n'
}

function schemaToJson(url: string): string {
  return url === '' ? '' : `,"schemaUrl":${JSON.stringify(url)}`
}

/** `GET /api/export`: everything in the store as OTLP JSON lines, a trace to a line, the oldest first. */
export function* storeExport(store: Store): Pieces {
  store.settle()
  // Traces that leave while this is written are left out, those that come are not waited for.
  for (const trace of [...store.traces.values()])
    if (store.traces.has(trace.key)) yield* otlpExport(store, trace)
}

/**
 * `export?format=chrome`: the trace in the Trace Event Format, for Perfetto and `chrome://tracing`. Every thread is a
 * track of its process. Spans of one thread may overlap, which complete events must not: they are async events
 * (`b`/`e`), and only what nests is a complete event (`X`).
 */
export function* chromeExport(store: Store, trace: Trace): Pieces {
  const { columns, lanes, names } = store
  const processes = new Map<string, number>()
  const threads = new Map<number, { pid: number; tid: number; open: number[] }>()
  let separator = ''
  const event = (value: Record<string, unknown>) => {
    const text = separator + JSON.stringify(value)
    separator = ',\n'
    return text
  }
  yield '{"displayTimeUnit":"ms","traceEvents":[\n'
  for (const row of byStart(store, trace)) {
    const lane = columns.lane[row]!
    let thread = threads.get(lane)
    if (thread === undefined) {
      const origin = lanes.of(lane)
      let pid = processes.get(origin.process)
      if (pid === undefined) {
        pid = processes.size + 1
        processes.set(origin.process, pid)
        const name = origin.pid === null ? origin.service : `${origin.service} ${origin.pid}`
        yield event({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name } })
      }
      thread = { pid, tid: threads.size + 1, open: [] }
      threads.set(lane, thread)
      const name = threadLabel(lanes.lanes.value(lane))
      yield event({ ph: 'M', name: 'thread_name', pid, tid: thread.tid, args: { name } })
    }
    const { pid, tid, open } = thread
    const ts = columns.startAfter(row, trace.origin) * 1000
    const dur = columns.duration(row) * 1000
    while (open.length > 0 && open[open.length - 1]! <= ts) open.pop()
    const nests = open.length === 0 || ts + dur <= open[open.length - 1]!
    const args = { ...plainAttributes(store.decode(row).attributes), 'span.id': columns.spanId(row) }
    const common = { name: names.value(columns.name[row]!), cat: 'span', pid, tid }
    if (nests) {
      open.push(ts + dur)
      yield event({ ...common, ph: 'X', ts, dur, args })
    } else {
      const id = columns.spanId(row)
      yield event({ ...common, ph: 'b', id, ts, args })
      yield event({ ...common, ph: 'e', id, ts: ts + dur })
    }
  }
  yield '\n]}\n'
}
