import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'

/** The rows of the spans of traces, by start; of those that start together, the longer ones first: parents before children. */
export function rowsByStart(store: Store, traces: readonly Trace[]): { rows: Uint32Array; origin: number } {
  const { columns } = store
  let count = 0
  let origin = -1
  for (const trace of traces) {
    count += trace.spans
    if (origin < 0 || columns.startAfter(trace.origin, origin) < 0) origin = trace.origin
  }
  const unsorted = new Uint32Array(count)
  let at = 0
  for (const trace of traces) for (const row of store.rows(trace)) unsorted[at++] = row
  const starts = Float64Array.from(unsorted, (row) => columns.startAfter(row, origin))
  const order = Uint32Array.from(unsorted.keys())
  order.sort(
    (a, b) => starts[a]! - starts[b]! || columns.duration(unsorted[b]!) - columns.duration(unsorted[a]!),
  )
  return { rows: order.map((i) => unsorted[i]!), origin }
}

/** Start and end of a span in whole nanoseconds after the start of row `origin`; no span ends before it starts. */
export function nanosOf(store: Store, row: number, origin: number): { start: number; end: number } {
  const start = Math.round(store.columns.startAfter(row, origin) * 1e6)
  return { start, end: start + Math.round(store.columns.duration(row) * 1e6) }
}

/** Whether a trace is still in the store: between two pieces of a file others may come, for which it has to leave. */
export function isHeld(store: Store, trace: Trace): boolean {
  return store.traces.get(trace.key) === trace
}
