import { FreeRows } from './free-rows.js'
import { CLOSED, ERROR, type Trace } from './trace.js'

/**
 * The spans of one thread, packed into rows so that no two in a row overlap in time. A span stands below its parent when
 * both ran in the same thread, and so the rows of a synchronous call read as a flame graph.
 */
export interface Lane {
  readonly thread: number
  readonly rows: number
  /** Spans of row r, ascending in time: `spans[first[r]]` up to `spans[first[r + 1] - 1]`. */
  readonly first: Int32Array
  readonly spans: Int32Array
  /** Spans with an error or closed by a death, in the same form: they are drawn even where they are thinner than a pixel. */
  readonly markedFirst: Int32Array
  readonly marked: Int32Array
  /** Milliseconds in which at least one span was open in this thread. */
  readonly open: number
}

/** The lanes of the threads that have spans, by process, the main thread first and the others by number; and where each span went. */
export interface Lanes {
  readonly lanes: readonly Lane[]
  /** Row of each span within its lane. */
  readonly row: Int32Array
  /** Index in `lanes` by thread, or -1. */
  readonly ofThread: Int32Array
}

/** Packs all spans of a trace into lanes. O(n log n) also when thousands of spans are open in one thread at once. */
export function packLanes(trace: Trace): Lanes {
  const { size, thread, threads } = trace
  const counts = new Int32Array(threads.length + 1)
  for (let i = 0; i < size; i++) counts[thread[i]! + 1]!++
  for (let t = 0; t < threads.length; t++) counts[t + 1]! += counts[t]!
  const bySpan = new Int32Array(size)
  const next = counts.slice(0, threads.length)
  for (let i = 0; i < size; i++) bySpan[next[thread[i]!]!++] = i

  const row = new Int32Array(size)
  const lanes: Lane[] = []
  const ofThread = new Int32Array(threads.length).fill(-1)
  for (const t of inOrder(trace)) {
    const members = bySpan.subarray(counts[t]!, counts[t + 1]!)
    if (members.length === 0) continue
    ofThread[t] = lanes.length
    lanes.push(packLane(trace, t, members, row))
  }
  return { lanes, row, ofThread }
}

/** Threads by process in order of appearance, the main thread first, the others by number, then by name. */
function inOrder({ threads }: Trace): number[] {
  const rank = ({ id, label }: Trace['threads'][number]) =>
    label === 'main' ? 0 : (id ?? Number.POSITIVE_INFINITY)
  const processes = [...new Set(threads.map(({ process }) => process))]
  const place = new Map(processes.map((process, i) => [process, i]))
  return [...threads.keys()].sort((a, b) => {
    const [one, other] = [threads[a]!, threads[b]!]
    const apart = place.get(one.process)! - place.get(other.process)! || compare(rank(one), rank(other))
    return apart || one.label.localeCompare(other.label, 'en', { numeric: true }) || a - b
  })
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function packLane(trace: Trace, thread: number, members: Int32Array, row: Int32Array): Lane {
  const { start, end, tree, flags } = trace
  const free = new FreeRows()
  let rows = 0
  let open = 0
  let reached = Number.NEGATIVE_INFINITY
  for (const span of members) {
    const above = tree.up[span]!
    const nested = above >= 0 && trace.thread[above] === thread && above < span && end[above]! > start[span]!
    const at = free.take(nested ? row[above]! + 1 : 0, start[span]!, end[span]!)
    row[span] = at
    rows = Math.max(rows, at + 1)
    open += Math.max(0, end[span]! - Math.max(reached, start[span]!))
    reached = Math.max(reached, end[span]!)
  }
  const all = byRow(members, row, rows)
  const marked = byRow(
    members.filter((span) => (flags[span]! & (ERROR | CLOSED)) !== 0),
    row,
    rows,
  )
  return {
    thread,
    rows,
    first: all.first,
    spans: all.spans,
    markedFirst: marked.first,
    marked: marked.spans,
    open,
  }
}

/** Members by their row, rows one after another, each in the order of the members. */
export function byRow(
  members: Int32Array,
  row: Int32Array,
  rows: number,
): { first: Int32Array; spans: Int32Array } {
  const first = new Int32Array(rows + 1)
  for (const span of members) first[row[span]! + 1]!++
  for (let r = 0; r < rows; r++) first[r + 1]! += first[r]!
  const spans = new Int32Array(members.length)
  const next = first.slice(0, rows)
  for (const span of members) spans[next[row[span]!]!++] = span
  return { first, spans }
}

/** Position in a row (ascending, not overlapping) of the first span that ends after `time`; `end` by span. */
export function firstEndingAfter(
  end: Float64Array,
  spans: Int32Array,
  low: number,
  high: number,
  time: number,
): number {
  while (low < high) {
    const middle = (low + high) >>> 1
    if (end[spans[middle]!]! > time) high = middle
    else low = middle + 1
  }
  return low
}
