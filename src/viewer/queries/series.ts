import type { Distribution, Filter, Series } from '../api.js'
import type { Store } from '../store/store.js'
import { isWithin, percentile, select, timeRange } from './selection.js'
import { isError, statusClass, statusText } from './status-text.js'

/** Widths of buckets that people can read, milliseconds. */
const STEPS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000, 604_800_000,
]

const MAX_BUCKETS = 60

/** Classes of status, what went well first. */
const CLASSES = ['ok', '1xx', '2xx', '3xx', '4xx', '5xx', 'error', '6xx', '7xx', '8xx', '9xx', '0xx']

/** The smallest readable width that covers `from` to `to` in at most 60 buckets. */
export function stepFor(from: number, to: number): number {
  const wanted = (to - from) / (MAX_BUCKETS - 1)
  return STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 604_800_000) * 604_800_000
}

/** Starts of the buckets of a readable width that cover `from` to `to`. */
export function bucketsOf(from: number, to: number): { step: number; times: number[] } {
  const step = stepFor(from, to)
  const times: number[] = []
  for (let time = Math.floor(from / step) * step; time <= to; time += step) times.push(time)
  return { step, times }
}

/** `GET /api/series`: over the time of the filter, else over that of all transactions, so that filters do not move the axis. */
export function series(store: Store, filter: Filter): Series {
  const rows = select(store, filter)
  const { from, to } = timeRange(store, filter)
  const { step, times } = to === 0 ? { step: 1000, times: [] } : bucketsOf(from, to)
  const origin = times[0] ?? 0
  const buckets: number[][] = times.map(() => [])
  const errors = times.map(() => 0)
  const classes = new Map<string, number[]>()
  for (const row of rows) {
    const i = Math.floor((store.columns.start(row) - origin) / step)
    if (i < 0 || i >= times.length) continue
    buckets[i]!.push(store.columns.duration(row))
    if (isError(store, row)) errors[i]!++
    const name = statusClass(store, row)
    const counts = classes.get(name) ?? times.map(() => 0)
    counts[i]!++
    classes.set(name, counts)
  }
  const sorted = buckets.map((durations) => Float64Array.from(durations).sort())
  const line = (value: (durations: Float64Array) => number) =>
    sorted.map((durations) => (durations.length === 0 ? null : value(durations)))
  return {
    step,
    times,
    count: sorted.map((durations) => durations.length),
    errors,
    classes: CLASSES.filter((name) => classes.has(name)).map((name) => ({ name, count: classes.get(name)! })),
    mean: line((durations) => durations.reduce((sum, duration) => sum + duration, 0) / durations.length),
    p50: line((durations) => percentile(durations, 0.5)),
    p95: line((durations) => percentile(durations, 0.95)),
    p99: line((durations) => percentile(durations, 0.99)),
  }
}

/** Ten buckets to a power of ten: neighbours differ by a quarter. */
const PER_DECADE = 10
/** One microsecond; what is shorter falls in the first bucket. */
const SHORTEST = 0.001

/** `GET /api/distribution` */
export function distribution(store: Store, filter: Filter): Distribution {
  const { min: _min, max: _max, ...wide } = filter
  const rows = select(store, wide)
  const buckets = new Map<number, { count: number; errors: number }>()
  const statuses = new Map<string, number>()
  const hosts = new Map<string, number>()
  let lowest = Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    const duration = Math.max(SHORTEST, store.columns.duration(row))
    // 1000 ms must fall in the bucket that starts there, whatever the logarithm rounds to.
    const i = Math.floor(Math.log10(duration) * PER_DECADE + 1e-9)
    lowest = Math.min(lowest, i)
    highest = Math.max(highest, i)
    const bucket = buckets.get(i) ?? { count: 0, errors: 0 }
    bucket.count++
    if (isError(store, row)) bucket.errors++
    buckets.set(i, bucket)
    if (!isWithin(store.columns.duration(row), filter)) continue
    add(statuses, statusText(store, row))
    add(hosts, store.lanes.of(store.columns.lane[row]!).host)
  }
  const result: Distribution = { buckets: [], statuses: [], hosts: [] }
  for (let i = lowest; i <= highest; i++) {
    const { count, errors } = buckets.get(i) ?? { count: 0, errors: 0 }
    result.buckets.push({ from: edge(i), to: edge(i + 1), count, errors })
  }
  result.statuses = byCount(statuses).map(([status, count]) => ({ status, count }))
  result.hosts = byCount(hosts).map(([host, count]) => ({ host, count }))
  return result
}

function edge(i: number): number {
  return Number((10 ** (i / PER_DECADE)).toPrecision(6))
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function byCount(counts: Map<string, number>): [string, number][] {
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 100)
}
