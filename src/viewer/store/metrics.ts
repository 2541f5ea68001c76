import type {
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  MetricData,
  MetricsRequest,
  NumberPoint,
  SummaryPoint,
  Temporality,
} from '../../otlp/metrics-types.js'
import type { Attributes } from '../../otlp/types.js'
import { quantile } from './histogram.js'

/** Most time series, and most points of one; the oldest points leave first, new series are refused. */
const MAX_SERIES = 4_000
const MAX_POINTS = 1_000

/** Most lines of one series, characters of a label, and buckets of a distribution: more has no place in a chart. */
const MAX_LINES = 16
const MAX_TEXT = 500
const MAX_BUCKETS = 10_000

type Kind = MetricData['kind']
type Buckets = HistogramPoint | ExponentialHistogramPoint

/** One time series: a metric of one process with one set of attributes. */
export interface TimeSeries {
  service: string
  host: string
  /** Attributes of the points as text, e.g. `v8js.heap.space.name=new_space`. */
  label: string
  /** Milliseconds since the epoch, ascending as they came. */
  times: number[]
  /** By line: one line for numbers; mean and quantiles for distributions. NaN where there is no value. */
  lines: Map<string, number[]>
  /** The last cumulative point, which the next one is compared with. */
  last: { time: number; value: number } | Buckets | undefined
}

/** All time series of one name. */
export interface MetricEntry {
  name: string
  unit: string
  description: string
  kind: Kind
  /** The values are increases per second: the sender counts, and counts up only. */
  rate: boolean
  series: Map<string, TimeSeries>
}

/** Metrics in memory, decoded to what the charts draw. */
export class Metrics {
  readonly byName = new Map<string, MetricEntry>()
  #series = 0

  /** Answers how many data points were taken, and how many refused because there are too many time series. */
  add(request: MetricsRequest): { accepted: number; rejected: number } {
    const result = { accepted: 0, rejected: 0 }
    for (const { resource, scopeMetrics } of request.resourceMetrics) {
      for (const { metrics } of scopeMetrics) {
        for (const metric of metrics) this.#metric(metric, resource.attributes, result)
      }
    }
    return result
  }

  #metric(metric: Metric, resource: Attributes, result: { accepted: number; rejected: number }): void {
    const { data } = metric
    if (data === null) return
    const temporality = 'temporality' in data ? data.temporality : 0
    for (const point of data.points) {
      const series = this.#find(metric, data, resource, point.attributes)
      if (series === undefined || tooFine(point)) result.rejected++
      else {
        result.accepted++
        addPoint(series, data, point, temporality)
      }
    }
  }

  #find(
    metric: Metric,
    data: MetricData,
    resource: Attributes,
    attributes: Attributes,
  ): TimeSeries | undefined {
    if (metric.name.length > MAX_TEXT) return undefined
    const entry = this.byName.get(metric.name)
    const label = labelOf(attributes)
    const service = text(resource['service.name'], 'unknown_service').slice(0, MAX_TEXT)
    const host = text(resource['host.name'], '').slice(0, MAX_TEXT)
    const instance = text(resource['service.instance.id'] ?? resource['process.pid'], '').slice(0, MAX_TEXT)
    const key = JSON.stringify([service, host, instance, label])
    const known = entry?.series.get(key)
    if (known !== undefined) return known
    if (this.#series >= MAX_SERIES) return undefined
    this.#series++
    const made: TimeSeries = { service, host, label, times: [], lines: new Map(), last: undefined }
    const owner = entry ?? {
      name: metric.name,
      unit: metric.unit.slice(0, MAX_TEXT),
      description: metric.description.slice(0, MAX_TEXT),
      kind: data.kind,
      rate: data.kind === 'sum' && data.monotonic,
      series: new Map<string, TimeSeries>(),
    }
    owner.series.set(key, made)
    this.byName.set(metric.name, owner)
    return made
  }
}

type AnyPoint = NumberPoint | Buckets | SummaryPoint

function tooFine(point: AnyPoint): boolean {
  if ('bucketCounts' in point) return point.bucketCounts.length > MAX_BUCKETS
  return (
    'positive' in point &&
    point.positive.bucketCounts.length + point.negative.bucketCounts.length > MAX_BUCKETS
  )
}

function addPoint(series: TimeSeries, data: MetricData, point: AnyPoint, temporality: Temporality): void {
  // The low bit of the flags says that the sender has no value for this time.
  const missing = (point.flags & 1) !== 0
  const time = Number(point.timeUnixNano) / 1e6
  if (missing) push(series, time, { '': Number.NaN })
  else if ('value' in point) push(series, time, { '': numberOf(series, data, point, time, temporality) })
  else if ('quantiles' in point) push(series, time, summaryLines(point))
  else push(series, time, bucketLines(series, point, temporality))
}

/** A cumulative monotonic sum is drawn as its increase per second: the total only ever climbs. */
function numberOf(
  series: TimeSeries,
  data: MetricData,
  point: NumberPoint,
  time: number,
  temporality: Temporality,
): number {
  const value = point.value === null ? Number.NaN : Number(point.value)
  if (data.kind !== 'sum' || !data.monotonic) return value
  const last = series.last as { time: number; value: number } | undefined
  series.last = { time, value }
  if (temporality === 1) {
    const start = point.startTimeUnixNano > 0n ? Number(point.startTimeUnixNano) / 1e6 : (last?.time ?? time)
    return time > start ? value / ((time - start) / 1000) : Number.NaN
  }
  if (last === undefined || time <= last.time) return Number.NaN
  // A total that falls has started again from nothing.
  const increase = value < last.value ? value : value - last.value
  return increase / ((time - last.time) / 1000)
}

function summaryLines(point: SummaryPoint): Record<string, number> {
  const lines: Record<string, number> = { mean: point.count === 0 ? Number.NaN : point.sum / point.count }
  for (const { quantile, value } of point.quantiles) lines[`p${Number((quantile * 100).toFixed(2))}`] = value
  return lines
}

function bucketLines(series: TimeSeries, point: Buckets, temporality: Temporality): Record<string, number> {
  const before = temporality === 2 ? (series.last as Buckets | undefined) : undefined
  if (temporality === 2) series.last = point
  const since = before !== undefined && before.count <= point.count ? before : undefined
  const count = point.count - (since?.count ?? 0)
  const sum = point.sum === null ? Number.NaN : point.sum - (since?.sum ?? 0)
  return {
    mean: count === 0 ? Number.NaN : sum / count,
    p50: quantile(point, since, 0.5),
    p95: quantile(point, since, 0.95),
    p99: quantile(point, since, 0.99),
  }
}

function push(series: TimeSeries, time: number, values: Record<string, number>): void {
  series.times.push(time)
  for (const [line, value] of Object.entries(values)) {
    const known = series.lines.get(line)
    if (known === undefined && series.lines.size === MAX_LINES) continue
    const column = known ?? new Array<number>(series.times.length - 1).fill(Number.NaN)
    column.push(value)
    if (known === undefined) series.lines.set(line, column)
  }
  for (const column of series.lines.values()) if (column.length < series.times.length) column.push(Number.NaN)
  if (series.times.length <= MAX_POINTS) return
  series.times.shift()
  for (const column of series.lines.values()) column.shift()
}

function labelOf(attributes: Attributes): string {
  return Object.keys(attributes)
    .sort()
    .map((key) => `${key}=${text(attributes[key], '')}`)
    .join(', ')
    .slice(0, MAX_TEXT)
}

function text(value: unknown, otherwise: string): string {
  if (value === undefined || value === null) return otherwise
  return typeof value === 'object'
    ? JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
    : String(value)
}
