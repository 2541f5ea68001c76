/**
 * Exponential histograms (data model specification, "ExponentialHistogram"): buckets whose bounds are powers of `2 ** 2 ** -scale`, as many as
 * 160 of them, wherever the values lie.
 *
 * A series has several segments, one behind the other, each with a scale of its own that never changes: where a value does not fit into the
 * buckets of the last one, a coarser one is begun, and who reads adds up what all of them have. So nothing is ever moved that somebody may be
 * reading, or that a thread could be stopped in the midst of.
 */

/** Where in the cells of a segment what lies; sum, least and greatest value are where other histograms have them. */
export const ZEROS = 3
export const SCALE = 4
export const OFFSET = 5
export const FIRST = 6
export const MOST_BUCKETS = 160
/** Cells of a segment, exemplar apart. */
export const SEGMENT = FIRST + MOST_BUCKETS

/** Finer than 0.3 %, which is what a first value is put into; more would only make more segments. */
const FINEST = 8
/** The coarsest one holds all doubles. */
const COARSEST = -4

/** The bucket of a value that is greater than 0: bucket i holds what is above `base ** i`, up to `base ** (i + 1)`. */
export function indexOf(value: number, scale: number): number {
  return Math.ceil(Math.log2(value) * 2 ** scale) - 1
}

/** Where a new segment begins and how fine it is: with room for `from` to `to`, which are buckets of a scale. */
export function room(from: number, to: number, scale: number): { scale: number; offset: number } {
  let low = from
  let high = to
  let fitting = scale
  // A quarter is left free on either side, so that the next value is likely to fit.
  while (fitting > COARSEST && high - low >= MOST_BUCKETS / 2) {
    low >>= 1
    high >>= 1
    fitting--
  }
  return { scale: fitting, offset: low - ((MOST_BUCKETS - (high - low + 1)) >> 1) }
}

/** What the first segment of a series is, given its first value. */
export function firstRoom(value: number): { scale: number; offset: number } {
  const index = indexOf(value, FINEST)
  return room(index, index, FINEST)
}

/** The lowest and the highest bucket that is in use; undefined where none is. */
export function used(cells: ArrayLike<number>, at = 0): { from: number; to: number } | undefined {
  let from = -1
  let to = -1
  for (let i = 0; i < MOST_BUCKETS; i++) {
    if (cells[at + FIRST + i] === 0) continue
    if (from < 0) from = i
    to = i
  }
  const offset = cells[at + OFFSET]!
  return from < 0 ? undefined : { from: offset + from, to: offset + to }
}

/** The cells' buckets at a coarser scale, put where `offset` says. */
function put(into: Float64Array, cells: Float64Array, sign: 1 | -1): void {
  const by = cells[SCALE]! - into[SCALE]!
  for (let i = 0; i < MOST_BUCKETS; i++) {
    const count = cells[FIRST + i]!
    if (count === 0) continue
    const at = ((cells[OFFSET]! + i) >> by) - into[OFFSET]!
    if (at >= 0 && at < MOST_BUCKETS) into[FIRST + at] = into[FIRST + at]! + sign * count
  }
}

/** Whether cells are those of a segment; a descendant's file can say anything. */
function isSegment(cells: Float64Array): boolean {
  const scale = cells[SCALE]!
  const offset = cells[OFFSET]!
  return (
    Number.isInteger(scale) &&
    scale >= COARSEST &&
    scale <= FINEST &&
    Number.isInteger(offset) &&
    Math.abs(offset) < 2 ** 20
  )
}

/** A segment with the buckets of both, as fine as they allow; sum, least and greatest value are the caller's to put there. */
export function together(a: Float64Array, b: Float64Array): Float64Array {
  if (!isSegment(b)) return a
  if (!isSegment(a)) return b
  const scale = Math.min(a[SCALE]!, b[SCALE]!)
  const ranges = [a, b].flatMap((cells) => {
    const range = used(cells)
    if (range === undefined) return []
    const by = cells[SCALE]! - scale
    return [{ from: range.from >> by, to: range.to >> by }]
  })
  let from = Math.min(...ranges.map((range) => range.from))
  let to = Math.max(...ranges.map((range) => range.to))
  const result = Float64Array.from(a)
  result.fill(0, FIRST, SEGMENT)
  result[ZEROS] = a[ZEROS]! + b[ZEROS]!
  let fitting = scale
  while (fitting > COARSEST && to - from >= MOST_BUCKETS) {
    from >>= 1
    to >>= 1
    fitting--
  }
  result[SCALE] = fitting
  result[OFFSET] = ranges.length === 0 ? 0 : from
  put(result, a, 1)
  put(result, b, 1)
  return result
}

/** What has come to `before`, at the scale of `cells`. @returns undefined where nothing has. */
export function since(cells: Float64Array, before: Float64Array): Float64Array | undefined {
  const result = Float64Array.from(cells)
  // A scale only ever becomes coarser.
  if (isSegment(cells) && isSegment(before) && before[SCALE]! >= cells[SCALE]!) put(result, before, -1)
  result[ZEROS] = cells[ZEROS]! - before[ZEROS]!
  for (let i = FIRST; i < SEGMENT; i++) if (result[i] !== 0) return result
  return result[ZEROS] === 0 ? undefined : result
}
