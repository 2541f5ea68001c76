import type { Lanes } from './lanes.js'
import type { Queues } from './queues.js'
import type { Trace } from './trace.js'

/** Heights of the lanes view, CSS pixels. */
export const PROCESS_HEIGHT = 26
export const LANE_ROW = 16
export const QUEUE_ROW = 9
export const LANE_PADDING = 4
export const FOLDED_HEIGHT = 26
/** Lanes and queues deeper than this are folded at first into a strip of their density: they would push the others out of view. */
export const DEEP_LANE = 8
export const DEEP_QUEUE = 16

/** One band of the lanes view: the head of a process, its queue, or a lane. Pixels from the top of the drawing. */
export interface Band {
  readonly kind: 'process' | 'queue' | 'lane'
  readonly top: number
  readonly height: number
  readonly process: number
  /** Index in `Lanes.lanes` or in `Queues.queues`; -1 for the head of a process. */
  readonly index: number
  /** Height of one row of spans. */
  readonly row: number
  readonly folded: boolean
}

export interface LaneLayout {
  readonly bands: readonly Band[]
  /** Index in `bands` by lane. */
  readonly ofLane: Int32Array
  readonly height: number
}

/** What stands for the queue of a process in the set of folded threads. */
export function queueKey(process: number): number {
  return -1 - process
}

/**
 * Stacks the lanes: under the head of a process its queue, then its threads; processes in order of their first lane.
 * @param folded threads (and queues, by `queueKey`) whose rows the reader folded, or, where they are deep, unfolded
 */
export function layOutLanes(
  trace: Trace,
  { lanes }: Lanes,
  { queues }: Queues,
  folded: ReadonlySet<number>,
): LaneLayout {
  const byProcess = new Map<number, number[]>()
  lanes.forEach(({ thread }, lane) => {
    const { process } = trace.threads[thread]!
    const group = byProcess.get(process)
    if (group === undefined) byProcess.set(process, [lane])
    else group.push(lane)
  })
  const bands: Band[] = []
  const ofLane = new Int32Array(lanes.length)
  let top = 0
  const add = (band: Omit<Band, 'top'>): void => {
    bands.push({ ...band, top })
    top += band.height
  }
  const stack = (
    kind: 'queue' | 'lane',
    process: number,
    index: number,
    rows: number,
    shut: boolean,
  ): void => {
    const high = kind === 'queue' ? QUEUE_ROW : LANE_ROW
    const height = shut ? FOLDED_HEIGHT : Math.max(FOLDED_HEIGHT, rows * high + 2 * LANE_PADDING)
    const row = shut ? Math.min(high, (height - 2 * LANE_PADDING) / rows) : high
    add({ kind, height, process, index, row, folded: shut })
  }
  for (const [process, group] of byProcess) {
    add({ kind: 'process', height: PROCESS_HEIGHT, process, index: -1, row: 0, folded: false })
    const queue = queues.findIndex((each) => each.process === process)
    if (queue >= 0) {
      const { rows } = queues[queue]!
      stack('queue', process, queue, rows, folded.has(queueKey(process)) !== rows > DEEP_QUEUE)
    }
    for (const lane of group) {
      ofLane[lane] = bands.length
      const { rows, thread } = lanes[lane]!
      stack('lane', process, lane, rows, folded.has(thread) !== rows > DEEP_LANE)
    }
  }
  return { bands, ofLane, height: top }
}

/** The head of the process whose lanes lie at a height, and where it is drawn so that it stays in view; null when it is there anyway. */
export function stickyHead({ bands }: LaneLayout, top: number): { index: number; top: number } | null {
  let index = -1
  for (let i = 0; i < bands.length && bands[i]!.top < top; i++) if (bands[i]!.kind === 'process') index = i
  if (index < 0) return null
  const next = bands.findIndex(({ kind }, i) => i > index && kind === 'process')
  const room = next < 0 ? Number.POSITIVE_INFINITY : bands[next]!.top - PROCESS_HEIGHT
  return { index, top: Math.min(top, room) }
}

/** Index of the band at a height, the nearest one when it is outside of all; -1 when there are none. */
export function bandAt({ bands }: LaneLayout, y: number): number {
  let low = 0
  let high = bands.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (bands[middle]!.top <= y) low = middle + 1
    else high = middle
  }
  return bands.length === 0 ? -1 : Math.max(0, low - 1)
}

/**
 * The span of a row that is drawn nearest to an instant, within a tolerance; -1 when none is.
 * @param times when spans begin and end, by span: as they ran, or as they waited
 */
export function spanAt(
  times: { readonly start: Float64Array; readonly end: Float64Array },
  spans: Int32Array,
  low: number,
  high: number,
  time: number,
  tolerance: number,
): number {
  let from = low
  let to = high
  while (from < to) {
    const middle = (from + to) >>> 1
    if (times.start[spans[middle]!]! <= time) from = middle + 1
    else to = middle
  }
  let best = -1
  let distance = tolerance
  for (let at = Math.max(low, from - 1); at <= from && at < high; at++) {
    const span = spans[at]!
    const away = Math.max(0, times.start[span]! - time, time - times.end[span]!)
    if (away <= distance) {
      best = span
      distance = away
    }
  }
  return best
}
