import type { Activity } from './activity.js'
import type { Trace } from './trace.js'

/** What one thread did in a trace. Milliseconds; `share` is `busy` over the wall time, 0 to 1. */
export interface ThreadUse {
  readonly thread: number
  readonly spans: number
  /** Time in which at least one span of the thread was itself at work. */
  readonly busy: number
  readonly share: number
}

/** What running in parallel gave. Times are milliseconds. */
export interface Parallelism {
  /** From the first submit to the last end. */
  readonly wall: number
  /** The activity of all spans laid end to end, awaited input and output included: the trace one thing after another. */
  readonly busy: number
  /** `busy / wall`; 0 for a trace of no length. */
  readonly speedup: number
  readonly threads: readonly ThreadUse[]
  /** Threads at work for less than a tenth of the wall time, among two or more. */
  readonly idle: readonly number[]
  /** Sum of all queue waits, and the spans that waited, longest first, five at most. */
  readonly waited: number
  readonly waits: readonly number[]
}

const IDLE_SHARE = 0.1
const LONGEST = 5

/** Sums a trace up. `pieces` is its `activity`. */
export function parallelism(trace: Trace, pieces: Activity): Parallelism {
  const wall = trace.to - trace.from
  let busy = 0
  for (let i = 0; i < pieces.count; i++) busy += pieces.end[i]! - pieces.start[i]!

  const threads = threadUse(trace, pieces, wall)
  let waited = 0
  const waits: number[] = []
  for (let i = 0; i < trace.size; i++) {
    const wait = trace.wait[i]!
    if (wait <= 0) continue
    waited += wait
    if (waits.length === LONGEST && wait <= trace.wait[waits[LONGEST - 1]!]!) continue
    waits.push(i)
    waits.sort((a, b) => trace.wait[b]! - trace.wait[a]! || a - b)
    waits.length = Math.min(waits.length, LONGEST)
  }
  const idle =
    threads.length < 2 ? [] : threads.filter((use) => use.share < IDLE_SHARE).map((use) => use.thread)
  return { wall, busy, speedup: wall > 0 ? busy / wall : 0, threads, idle, waited, waits }
}

function threadUse(trace: Trace, pieces: Activity, wall: number): ThreadUse[] {
  const order = new Uint32Array(pieces.count)
  for (let i = 0; i < pieces.count; i++) order[i] = i
  order.sort((a, b) => pieces.start[a]! - pieces.start[b]!)
  const busy = new Float64Array(trace.threads.length)
  const reached = new Float64Array(trace.threads.length).fill(Number.NEGATIVE_INFINITY)
  for (const i of order) {
    const thread = trace.thread[pieces.span[i]!]!
    const end = pieces.end[i]!
    busy[thread]! += Math.max(0, end - Math.max(reached[thread]!, pieces.start[i]!))
    reached[thread] = Math.max(reached[thread]!, end)
  }
  const spans = new Int32Array(trace.threads.length)
  for (let i = 0; i < trace.size; i++) spans[trace.thread[i]!]!++
  const used: ThreadUse[] = []
  for (let thread = 0; thread < spans.length; thread++) {
    if (spans[thread] === 0) continue
    const share = wall > 0 ? busy[thread]! / wall : 0
    used.push({ thread, spans: spans[thread]!, busy: busy[thread]!, share })
  }
  return used
}
