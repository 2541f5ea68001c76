import type { Activity } from './activity.js'

/** How many spans were at work at each instant, as steps: `level[i]` holds from `time[i]` up to `time[i + 1]`. */
export interface Concurrency {
  readonly time: Float64Array
  readonly level: Int32Array
  readonly peak: number
}

/** The steps over all pieces of activity; the last level is 0. */
export function concurrency(pieces: Activity): Concurrency {
  const starts = pieces.start.slice().sort()
  const ends = pieces.end.slice().sort()
  const time = new Float64Array(pieces.count * 2)
  const level = new Int32Array(pieces.count * 2)
  let steps = 0
  let running = 0
  let peak = 0
  for (let s = 0, e = 0; e < ends.length; ) {
    const at = s < starts.length && starts[s]! < ends[e]! ? starts[s]! : ends[e]!
    while (e < ends.length && ends[e]! === at) {
      running--
      e++
    }
    while (s < starts.length && starts[s]! === at) {
      running++
      s++
    }
    if (steps > 0 && level[steps - 1] === running) continue
    time[steps] = at
    level[steps] = running
    steps++
    peak = Math.max(peak, running)
  }
  return { time: time.slice(0, steps), level: level.slice(0, steps), peak }
}

/**
 * The highest level in each of `columns` equal slices of a window: what a strip of that many pixels draws.
 * @param from start of the window, milliseconds
 * @param to its end
 */
export function peaks(steps: Concurrency, from: number, to: number, columns: number): Int32Array {
  const out = new Int32Array(columns)
  const width = (to - from) / columns
  if (!(width > 0)) return out
  // The step in force where a slice begins is looked at again there, since it may have begun in the slice before.
  let inForce = Math.max(0, firstAfter(steps.time, from) - 1)
  for (let column = 0; column < columns; column++) {
    const begin = from + column * width
    while (steps.time[inForce + 1]! <= begin) inForce++
    for (let i = inForce; i < steps.time.length && steps.time[i]! < begin + width; i++) {
      out[column] = Math.max(out[column]!, steps.level[i]!)
      inForce = i
    }
  }
  return out
}

/** Index of the first value above `limit` in an ascending column. */
export function firstAfter(values: Float64Array, limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! > limit) high = middle
    else low = middle + 1
  }
  return low
}
