import { ERROR, type Trace } from './trace.js'

/** From so many on, spans that are alike stand as one row. */
const LEAST = 10

/** Spans that stand as one row: siblings without children, of one name and service, one right after the other. */
export interface Siblings {
  /** The first of its run by span, or -1. */
  readonly leader: Int32Array
  /** Members of a run by its first span, itself included. */
  readonly runs: ReadonlyMap<number, Int32Array>
}

/** Finds the runs of spans that are alike, such as a statement in a loop. */
export function siblings(trace: Trace): Siblings {
  const { tree, size } = trace
  const leader = new Int32Array(size).fill(-1)
  const runs = new Map<number, Int32Array>()
  const process = (span: number) => trace.threads[trace.thread[span]!]!.process
  const alike = (a: number, b: number) => trace.name[a] === trace.name[b] && process(a) === process(b)
  for (let parent = 0; parent < size; parent++) {
    const end = tree.first[parent + 1]!
    for (let from = tree.first[parent]!; from < end; ) {
      const first = tree.children[from]!
      let to = from
      while (to < end && tree.below[tree.children[to]!] === 0 && alike(first, tree.children[to]!)) to++
      if (to - from >= LEAST) {
        const run = tree.children.slice(from, to)
        runs.set(first, run)
        for (const span of run) leader[span] = first
      }
      from = Math.max(to, from + 1)
    }
  }
  return { leader, runs }
}

/** Milliseconds of all spans of a run, and how many failed. */
export function sumOf(trace: Trace, run: Int32Array): { total: number; failed: number } {
  let total = 0
  let failed = 0
  for (const span of run) {
    total += trace.end[span]! - trace.start[span]!
    if ((trace.flags[span]! & ERROR) !== 0) failed++
  }
  return { total, failed }
}
