import type { Trace } from './trace.js'

/**
 * When each span was itself at work: the parts of it in which no child ran and none of its children waited in a queue.
 * A request that waits for eight tasks is not a ninth thing that runs. Pieces of one span are consecutive and ascending.
 */
export interface Activity {
  readonly count: number
  readonly span: Int32Array
  /** Milliseconds relative to the trace's origin. */
  readonly start: Float64Array
  readonly end: Float64Array
}

/** Cuts every span of the trace into its active pieces. */
export function activity(trace: Trace): Activity {
  const { start, end, wait, size } = trace
  const span = new Int32Array(size * 2)
  const starts = new Float64Array(size * 2)
  const ends = new Float64Array(size * 2)
  let count = 0
  const piece = (owner: number, from: number, to: number): void => {
    if (to <= from) return
    span[count] = owner
    starts[count] = from
    ends[count] = to
    count++
  }
  let children: number[] = []
  for (let i = 0; i < size; i++) {
    let reached = start[i]!
    const to = end[i]!
    children = bySubmit(trace, i, children)
    for (const child of children) {
      piece(i, reached, Math.min(to, start[child]! - wait[child]!))
      reached = Math.max(reached, Math.min(to, end[child]!))
    }
    piece(i, reached, to)
  }
  return {
    count,
    span: span.subarray(0, count),
    start: starts.subarray(0, count),
    end: ends.subarray(0, count),
  }
}

/** Children stand in order of their start; with queue waits, that of submission can differ. */
function bySubmit(trace: Trace, parent: number, reuse: number[]): number[] {
  const { start, wait, tree } = trace
  reuse.length = 0
  let sorted = true
  let last = Number.NEGATIVE_INFINITY
  for (let c = tree.first[parent]!; c < tree.first[parent + 1]!; c++) {
    const child = tree.children[c]!
    const submit = start[child]! - wait[child]!
    if (submit < last) sorted = false
    last = submit
    reuse.push(child)
  }
  return sorted ? reuse : reuse.sort((a, b) => start[a]! - wait[a]! - (start[b]! - wait[b]!))
}
