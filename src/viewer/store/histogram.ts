import type { ExponentialHistogramPoint, HistogramPoint } from '../../otlp/metrics-types.js'

interface Bucket {
  from: number
  to: number
  count: number
}

/**
 * The value below which the share `q` (0 to 1) of a histogram lies, interpolated inside its bucket; NaN when it is empty.
 * @param before an earlier point of the same cumulative series: only what came since counts
 */
export function quantile(
  point: HistogramPoint | ExponentialHistogramPoint,
  before: HistogramPoint | ExponentialHistogramPoint | undefined,
  q: number,
): number {
  const buckets = 'explicitBounds' in point ? explicit(point, before) : exponential(point, before)
  let total = 0
  for (const { count } of buckets) total += count
  if (total === 0) return Number.NaN
  let rest = q * total
  // Buckets are wide, the extremes exact; those of a cumulative series hold for all of its time.
  const { min, max } = point
  for (const bucket of buckets) {
    const { count } = bucket
    if (count > 0 && rest <= count) {
      const to = Math.min(bucket.to, max ?? bucket.to)
      const from = Math.min(to, Math.max(bucket.from, min ?? bucket.from))
      return from + (to - from) * (rest / count)
    }
    rest -= count
  }
  return max ?? buckets[buckets.length - 1]!.to
}

function explicit(point: HistogramPoint, before: unknown): Bucket[] {
  const earlier = before as HistogramPoint | undefined
  const same = earlier !== undefined && earlier.bucketCounts.length === point.bucketCounts.length
  const { explicitBounds: bounds } = point
  return point.bucketCounts.map((count, i) => ({
    // The outer buckets have no bound of their own: the extremes that were seen close them.
    from: i === 0 ? Math.min(point.min ?? 0, bounds[0] ?? 0) : bounds[i - 1]!,
    to: i < bounds.length ? bounds[i]! : Math.max(point.max ?? 0, bounds[bounds.length - 1] ?? 0),
    count: Math.max(0, count - (same ? earlier.bucketCounts[i]! : 0)),
  }))
}

function exponential(point: ExponentialHistogramPoint, before: unknown): Bucket[] {
  const previous = before as ExponentialHistogramPoint | undefined
  // A change of scale merges buckets; the whole distribution is then a better answer than a wrong difference.
  const earlier = previous?.scale === point.scale ? previous : undefined
  const base = 2 ** (2 ** -point.scale)
  const buckets: Bucket[] = []
  const { negative, positive } = point
  for (let i = negative.bucketCounts.length - 1; i >= 0; i--) {
    const at = negative.offset + i
    const count = negative.bucketCounts[i]! - countAt(earlier?.negative, at)
    buckets.push({ from: -(base ** (at + 1)), to: -(base ** at), count: Math.max(0, count) })
  }
  const zero = point.zeroCount - (earlier?.zeroCount ?? 0)
  buckets.push({ from: -point.zeroThreshold, to: point.zeroThreshold, count: Math.max(0, zero) })
  for (let i = 0; i < positive.bucketCounts.length; i++) {
    const at = positive.offset + i
    const count = positive.bucketCounts[i]! - countAt(earlier?.positive, at)
    buckets.push({ from: base ** at, to: base ** (at + 1), count: Math.max(0, count) })
  }
  return buckets
}

function countAt(buckets: { offset: number; bucketCounts: number[] } | undefined, at: number): number {
  return buckets?.bucketCounts[at - buckets.offset] ?? 0
}
