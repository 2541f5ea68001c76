import type { Interval } from '../trace/trace.js'

/** Bars on a time axis, drawn with box characters: half a column fine, light and heavy. */

/** What a half column shows. */
const NOTHING = 0
const LIGHT = 1
const HEAVY = 2

/** By the left half times three plus the right half. */
const HALVES = [' ', '╶', '╺', '╴', '─', '╼', '╸', '╾', '━']
const WAITING = '┈'
const LEVELS = '▁▂▃▄▅▆▇█'

/** The columns of a drawing and the milliseconds that they stand for. */
export interface Axis {
  readonly columns: number
  readonly wall: number
}

/** The half columns that an interval touches: at least one, wherever it is. */
function halves({ columns, wall }: Axis, { start, end }: Interval): [number, number] {
  const most = columns * 2
  if (!(wall > 0)) return [0, 1]
  const first = Math.min(Math.floor((Math.max(start, 0) / wall) * most + 1e-9), most - 1)
  return [first, Math.min(Math.max(Math.ceil((end / wall) * most - 1e-9), first + 1), most)]
}

/** A bar: light for all of it, heavy where it was at work, dotted where it waited before. One character a column. */
export function bar(
  axis: Axis,
  whole: readonly Interval[],
  work: readonly Interval[],
  waits: Interval[] = [],
): string {
  const cells = new Uint8Array(axis.columns * 2)
  for (const interval of whole) cells.fill(LIGHT, ...halves(axis, interval))
  for (const interval of work) cells.fill(HEAVY, ...halves(axis, interval))
  const waiting = new Uint8Array(axis.columns * 2)
  for (const interval of waits) waiting.fill(1, ...halves(axis, interval))
  let text = ''
  for (let i = 0; i < cells.length; i += 2) {
    const empty = cells[i] === NOTHING && cells[i + 1] === NOTHING
    if (empty && (waiting[i]! | waiting[i + 1]!) !== 0) text += WAITING
    else text += HALVES[cells[i]! * 3 + cells[i + 1]!]
  }
  return text
}

/** How many of the intervals there are at each moment, as columns of eight heights, and the most at any moment. */
export function concurrency(axis: Axis, intervals: readonly Interval[]): { text: string; most: number } {
  const turns = intervals.flatMap(({ start, end }): [number, number][] => [
    [start, 1],
    [end, -1],
  ])
  turns.sort(([a, up], [b, down]) => a - b || up - down)
  const peaks = new Uint32Array(axis.columns)
  let most = 0
  let running = 0
  for (let i = 0; i < turns.length; i++) {
    const [at, change] = turns[i]!
    running += change
    const until = turns[i + 1]?.[0] ?? at
    if (running === 0 || until <= at) continue
    most = Math.max(most, running)
    const [first, last] = halves(axis, { start: at, end: until })
    for (let column = first >> 1; column <= (last - 1) >> 1; column++) {
      peaks[column] = Math.max(peaks[column]!, running)
    }
  }
  const text = Array.from(peaks, (peak) => (peak === 0 ? ' ' : LEVELS[Math.ceil((peak / most) * 8) - 1]))
  return { text: text.join(''), most }
}

/** Round numbers of milliseconds for the axis, as many as fit with `room` columns each. */
export function ticks({ columns, wall }: Axis, room: number): number[] {
  if (!(wall > 0)) return [0]
  const least = (wall * room) / columns
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least * 0.999)!
  const marks: number[] = []
  for (let i = 0; i * step <= wall && marks.length <= columns; i++) marks.push(i * step)
  return marks
}
