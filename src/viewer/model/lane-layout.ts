import type { Lanes } from './lanes.js'
import type { Trace } from './trace.js'

/** Heights of the lanes view, CSS pixels. */
export const PROCESS_HEIGHT = 26
export const LANE_ROW = 16
export const LANE_PADDING = 4
export const FOLDED_HEIGHT = 26

/** One band of the lanes view: the head of a process, or a lane. Pixels from the top of the drawing. */
export interface Band {
  readonly top: number
  readonly height: number
  readonly process: number
  /** Index in `Lanes.lanes`, or -1 for the head of a process. */
  readonly lane: number
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

/**
 * Stacks the lanes, those of one process under its head, processes in order of their first lane.
 * @param folded threads whose rows are squeezed into one line
 */
export function layOutLanes(trace: Trace, lanes: Lanes, folded: ReadonlySet<number>): LaneLayout {
  const byProcess = new Map<number, number[]>()
  lanes.lanes.forEach(({ thread }, lane) => {
    const { process } = trace.threads[thread]!
    const group = byProcess.get(process)
    if (group === undefined) byProcess.set(process, [lane])
    else group.push(lane)
  })
  const bands: Band[] = []
  const ofLane = new Int32Array(lanes.lanes.length)
  let top = 0
  for (const [process, group] of byProcess) {
    bands.push({ top, height: PROCESS_HEIGHT, process, lane: -1, row: 0, folded: false })
    top += PROCESS_HEIGHT
    for (const lane of group) {
      const { thread, rows } = lanes.lanes[lane]!
      const shut = folded.has(thread)
      const height = shut ? FOLDED_HEIGHT : Math.max(FOLDED_HEIGHT, rows * LANE_ROW + 2 * LANE_PADDING)
      const row = shut ? Math.min(LANE_ROW, (height - 2 * LANE_PADDING) / rows) : LANE_ROW
      ofLane[lane] = bands.length
      bands.push({ top, height, process, lane, row, folded: shut })
      top += height
    }
  }
  return { bands, ofLane, height: top }
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

/** The span of a lane's row that is drawn nearest to an instant, within a tolerance; -1 when none is. */
export function spanAt(
  trace: Trace,
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
    if (trace.start[spans[middle]!]! <= time) from = middle + 1
    else to = middle
  }
  let best = -1
  let distance = tolerance
  for (let at = Math.max(low, from - 1); at <= from && at < high; at++) {
    const span = spans[at]!
    const away = Math.max(0, trace.start[span]! - time, time - trace.end[span]!)
    if (away <= distance) {
      best = span
      distance = away
    }
  }
  return best
}
