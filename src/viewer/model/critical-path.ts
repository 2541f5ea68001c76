import type { Trace } from './trace.js'

/** The chain of work that held the root up, cut into pieces: together they fill the root from start to end, once. */
export interface CriticalPath {
  readonly count: number
  /** Ascending in time. */
  readonly span: Int32Array
  readonly start: Float64Array
  readonly end: Float64Array
  /** Milliseconds on the path by span. */
  readonly time: Float64Array
}

/**
 * How far a child may end after its parent and still count as awaited, milliseconds. Tracers that start spans on a grid
 * of whole milliseconds report awaited children as ending late by less than that.
 */
const GRID = 1

/**
 * The critical path of a root: from its end backwards, the child that ended last before the point reached was what it
 * waited for, and so on inside that child. A child that outlives its parent was not waited for and cannot be on it.
 */
export function criticalPath(trace: Trace, root: number): CriticalPath {
  const { start, end, tree, size } = trace
  const spans: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  const time = new Float64Array(size)
  const piece = (span: number, from: number, to: number): void => {
    if (to <= from) return
    spans.push(span)
    starts.push(from)
    ends.push(to)
    time[span]! += to - from
  }

  interface Frame {
    span: number
    from: number
    reached: number
    byEnd: Int32Array
    next: number
  }
  const frame = (span: number, from: number, to: number): Frame => {
    const byEnd = tree.children.slice(tree.first[span]!, tree.first[span + 1]!)
    byEnd.sort((a, b) => end[a]! - end[b]! || a - b)
    return { span, from, reached: to, byEnd, next: byEnd.length - 1 }
  }

  if (root < 0 || root >= size) {
    return { count: 0, span: new Int32Array(0), start: new Float64Array(0), end: new Float64Array(0), time }
  }
  const stack = [frame(root, start[root]!, end[root]!)]
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    let held = -1
    while (held < 0 && top.next >= 0) {
      const child = top.byEnd[top.next--]!
      const late = end[child]! - top.reached
      const awaited = late <= 0 || (top.reached === end[top.span]! && late <= GRID)
      if (awaited && Math.min(end[child]!, top.reached) > Math.max(start[child]!, top.from)) held = child
    }
    if (held < 0) {
      piece(top.span, top.from, top.reached)
      stack.pop()
      continue
    }
    const to = Math.min(end[held]!, top.reached)
    const from = Math.max(start[held]!, top.from)
    piece(top.span, to, top.reached)
    top.reached = from
    stack.push(frame(held, from, to))
  }
  return {
    count: spans.length,
    span: Int32Array.from(spans).reverse(),
    start: Float64Array.from(starts).reverse(),
    end: Float64Array.from(ends).reverse(),
    time,
  }
}

/** The root that the path is asked for when nobody names one: the longest, the first among equals. -1 when empty. */
export function mainRoot(trace: Trace): number {
  let best = -1
  for (const root of trace.tree.roots) {
    if (best < 0 || trace.end[root]! - trace.start[root]! > trace.end[best]! - trace.start[best]!) best = root
  }
  return best
}
