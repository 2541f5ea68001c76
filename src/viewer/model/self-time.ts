import type { Trace } from './trace.js'

/**
 * Self time by span, milliseconds: its duration minus the union of its children, each clipped to the span. Parallel
 * children count once, and a child that outlives its parent counts up to the parent's end: never negative.
 */
export function selfTimes(trace: Trace): Float64Array {
  const { start, end, tree, size } = trace
  const self = new Float64Array(size)
  for (let span = 0; span < size; span++) {
    const to = end[span]!
    let covered = 0
    let reached = start[span]!
    for (let c = tree.first[span]!; c < tree.first[span + 1]!; c++) {
      const child = tree.children[c]!
      const from = Math.max(reached, start[child]!)
      const until = Math.min(to, end[child]!)
      if (until > from) {
        covered += until - from
        reached = until
      }
    }
    self[span] = Math.max(0, to - start[span]! - covered)
  }
  return self
}
