import { transcodeToJson } from '../../otlp/json-transcode.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import type { Pieces } from './format.js'
import { isHeld } from './rows.js'

/** The trace as one OTLP/JSON `TracesData` object on one line, spans in order of arrival. */
function* oneTrace(store: Store, trace: Trace): Pieces {
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
    if (!isHeld(store, trace)) break
    const origin = lanes.of(columns.lane[rows[0]!]!)
    const inner = lanes.scopes.value(columns.scope[rows[0]!]!)
    const group = opened(transcodeToJson('resourceSpans', origin.bytes))
    const scope = opened(transcodeToJson('scopeSpans', inner.bytes))
    yield `${first ? '' : ','}${group}"scopeSpans":[${scope}"spans":[`
    for (const [i, row] of rows.entries()) {
      if (!isHeld(store, trace)) break
      const { bytes, start, end } = store.encoded(row)
      yield (i === 0 ? '' : ',') + transcodeToJson('span', bytes, start, end)
    }
    yield ']}]}'
    first = false
  }
  yield ']}\n'
}

/** The text of an object, as far as a field can follow. */
function opened(object: string): string {
  return object === '{}' ? '{' : `${object.slice(0, -1)},`
}

/** Traces as OTLP JSON lines, a trace to a line. */
export function* otlpExport(store: Store, traces: readonly Trace[]): Pieces {
  // Traces that leave while this is written are left out, those that come are not waited for.
  for (const trace of traces) if (isHeld(store, trace)) yield* oneTrace(store, trace)
}
