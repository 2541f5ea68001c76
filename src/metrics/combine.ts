/** What the cells of a series, or of several, come to. */
import {
  BUCKETS,
  bodyOf,
  EXEMPLAR_TIME,
  hasExemplar,
  type InstrumentDescriptor,
  MAX,
  MIN,
  OBSERVED_AT,
  SET_AT,
  SUM,
} from './descriptor.js'
import { since, together } from './exponential.js'

/** What has come since; undefined where nothing has. The least and the greatest value of that time are not known. */
export function difference(
  descriptor: InstrumentDescriptor,
  cells: Float64Array,
  before: Float64Array,
): Float64Array | undefined {
  const isHistogram = descriptor.kind === 'histogram'
  if (descriptor.isExponential) {
    const come = since(cells, before)
    if (come === undefined) return undefined
    come[SUM] = cells[SUM]! - before[SUM]!
    come.fill(Number.NaN, MIN, MAX + 1)
    return come
  }
  const from = isHistogram ? BUCKETS : 0
  const end = bodyOf(descriptor)
  const more = Float64Array.from(cells)
  let hasChanged = false
  for (let i = from; i < end; i++) hasChanged ||= cells[i] !== before[i]
  if (!hasChanged) return undefined
  for (let i = 0; i < end; i++) more[i] = cells[i]! - before[i]!
  if (isHistogram) more.fill(Number.NaN, MIN, MAX + 1)
  return more
}

/** Adds what one source says to what others have said. @param more Becomes the result's, where that is the first. */
export function merge(
  descriptor: InstrumentDescriptor,
  sum: Float64Array | undefined,
  more: Float64Array,
): Float64Array {
  if (sum === undefined) return more
  const { kind } = descriptor
  if (kind === 'gauge' || kind === 'observablegauge') {
    const at = kind === 'gauge' ? SET_AT : OBSERVED_AT
    if (more[at]! >= sum[at]!) sum.set(more)
    return sum
  }
  const end = bodyOf(descriptor)
  if (descriptor.isExponential) {
    const both = together(sum, more)
    both[SUM] = sum[SUM]! + more[SUM]!
    both[MIN] = Math.min(sum[MIN]!, more[MIN]!)
    both[MAX] = Math.max(sum[MAX]!, more[MAX]!)
    const later = more[end + EXEMPLAR_TIME]! > sum[end + EXEMPLAR_TIME]! ? more : sum
    both.set(later.subarray(end), end)
    return both
  }
  sum[SUM] = sum[SUM]! + more[SUM]!
  if (kind === 'histogram') {
    sum[MIN] = Math.min(sum[MIN]!, more[MIN]!)
    sum[MAX] = Math.max(sum[MAX]!, more[MAX]!)
    for (let i = BUCKETS; i < end; i++) sum[i] = sum[i]! + more[i]!
  }
  if (hasExemplar(kind) && more[end + EXEMPLAR_TIME]! > sum[end + EXEMPLAR_TIME]!)
    sum.set(more.subarray(end), end)
  return sum
}
