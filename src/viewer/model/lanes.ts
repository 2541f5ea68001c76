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

/** The lanes of the threads that have spans, in the trace's order of threads, and where each span went. */
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
  for (let t = 0; t < threads.length; t++) {
    const members = bySpan.subarray(counts[t]!, counts[t + 1]!)
    if (members.length === 0) continue
    ofThread[t] = lanes.length
    lanes.push(packLane(trace, t, members, row))
  }
  return { lanes, row, ofThread }
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

function byRow(members: Int32Array, row: Int32Array, rows: number): { first: Int32Array; spans: Int32Array } {
  const first = new Int32Array(rows + 1)
  for (const span of members) first[row[span]! + 1]!++
  for (let r = 0; r < rows; r++) first[r + 1]! += first[r]!
  const spans = new Int32Array(members.length)
  const next = first.slice(0, rows)
  for (const span of members) spans[next[row[span]!]!++] = span
  return { first, spans }
}

/** Rows by the time they become free, in a segment tree of minima: finds the topmost free row from a given one on. */
class FreeRows {
  #leaves = 8
  #least = new Float64Array(16).fill(Number.NEGATIVE_INFINITY)

  take(from: number, start: number, end: number): number {
    while (from >= this.#leaves) this.#grow()
    let row = this.#topmost(1, 0, this.#leaves, from, start)
    while (row < 0) {
      this.#grow()
      row = this.#topmost(1, 0, this.#leaves, from, start)
    }
    // A span of no length still takes its row: two at the same instant must not cover each other.
    this.#set(row, end > start ? end : nextUp(end))
    return row
  }

  #topmost(node: number, low: number, width: number, from: number, limit: number): number {
    if (low + width <= from || this.#least[node]! > limit) return -1
    if (width === 1) return low
    const half = width >>> 1
    const left = this.#topmost(node * 2, low, half, from, limit)
    return left >= 0 ? left : this.#topmost(node * 2 + 1, low + half, half, from, limit)
  }

  #set(row: number, value: number): void {
    let node = this.#leaves + row
    this.#least[node] = value
    for (node >>>= 1; node >= 1; node >>>= 1) {
      this.#least[node] = Math.min(this.#least[node * 2]!, this.#least[node * 2 + 1]!)
    }
  }

  #grow(): void {
    const old = this.#least.subarray(this.#leaves)
    this.#leaves *= 2
    const grown = new Float64Array(this.#leaves * 2).fill(Number.NEGATIVE_INFINITY)
    grown.set(old, this.#leaves)
    for (let node = this.#leaves - 1; node >= 1; node--) {
      grown[node] = Math.min(grown[node * 2]!, grown[node * 2 + 1]!)
    }
    this.#least = grown
  }
}

/** Just after an instant: a nanosecond, the finest step that the wire has. */
function nextUp(time: number): number {
  return time + 1e-6
}

/** Position in a row (ascending, not overlapping) of the first span that ends after `time`. */
export function firstEndingAfter(
  trace: Trace,
  spans: Int32Array,
  low: number,
  high: number,
  time: number,
): number {
  while (low < high) {
    const middle = (low + high) >>> 1
    if (trace.end[spans[middle]!]! > time) high = middle
    else low = middle + 1
  }
  return low
}
