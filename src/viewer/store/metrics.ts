import { createHash } from 'node:crypto'
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
import type { Attributes, Resource, Scope } from '../../otlp/types.js'
import { quantile } from './histogram.js'
import { processKey } from './process-key.js'

/** Most time series, and most points of one; the oldest points leave first, new series are refused. */
const MAX_SERIES = 4_000
const MAX_POINTS = 1_000

/** Most lines of one series, characters of a label, and buckets of a distribution: more has no place in a chart. */
const MAX_LINES = 16
const MAX_TEXT = 500
const MAX_BUCKETS = 10_000
/** Most attributes of a resource and scope that tell series apart. */
const MAX_ORIGIN = 200

const TEMPORALITIES = ['', 'delta', 'cumulative'] as const

type Kind = MetricData['kind']
type Buckets = HistogramPoint | ExponentialHistogramPoint

/** One time series: what OTLP's data model calls a stream, for one set of attributes. */
export interface TimeSeries {
  service: string
  host: string
  process: string
  /** `thread.id` and `thread.name` of the points, or empty. */
  thread: string
  threadName: string
  /** Attributes of the points as text, e.g. `v8js.heap.space.name=new_space`. */
  attributes: readonly string[]
  /** All of them. */
  label: string
  /** What else is part of its identity, as text by name: attributes of the resource, the scope, kind and unit. */
  origin: ReadonlyMap<string, string>
  /** Milliseconds since the epoch, ascending as they came. */
  times: number[]
  /** By line: one line for numbers; mean and quantiles for distributions. NaN where there is no value. */
  lines: Map<string, number[]>
  /** The last cumulative point, which the next one is compared with. */
  last: { start: bigint; time: number; value: number } | Buckets | undefined
}

/** A resource and a scope: who sends. */
interface Sender {
  attributes: Attributes
  origin: readonly [string, string][]
  key: string
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
      for (const { scope, metrics } of scopeMetrics) {
        const origin = originOf(resource, scope)
        const sender = { attributes: resource.attributes, origin, key: identity(origin) }
        for (const metric of metrics) this.#metric(metric, sender, result)
      }
    }
    return result
  }

  #metric(metric: Metric, sender: Sender, result: { accepted: number; rejected: number }): void {
    const { data } = metric
    if (data === null) return
    const temporality = 'temporality' in data ? data.temporality : 0
    for (const point of data.points) {
      const series = this.#find(metric, data, sender, point.attributes)
      if (series === undefined || tooFine(point)) result.rejected++
      else {
        result.accepted++
        addPoint(series, data, point, temporality)
      }
    }
  }

  #find(metric: Metric, data: MetricData, sender: Sender, attributes: Attributes): TimeSeries | undefined {
    if (metric.name.length > MAX_TEXT) return undefined
    const entry = this.byName.get(metric.name)
    const unit = metric.unit.slice(0, MAX_TEXT)
    const kind = kindOf(data)
    const key = identity([sender.key, kind, unit, sorted(attributes)])
    const known = entry?.series.get(key)
    if (known !== undefined) return known
    if (this.#series >= MAX_SERIES) return undefined
    this.#series++
    const labels = labelsOf(attributes)
    const made: TimeSeries = {
      service: text(sender.attributes['service.name'], 'unknown_service').slice(0, MAX_TEXT),
      host: text(sender.attributes['host.name'], '').slice(0, MAX_TEXT),
      process: processKey(sender.attributes).slice(0, MAX_TEXT),
      thread: text(attributes['thread.id'], '').slice(0, MAX_TEXT),
      threadName: text(attributes['thread.name'], '').slice(0, MAX_TEXT),
      attributes: labels,
      label: labels.join(', '),
      origin: new Map([...sender.origin, ['kind', kind], ['unit', unit]]),
      times: [],
      lines: new Map(),
      last: undefined,
    }
    const owner = entry ?? {
      name: metric.name,
      unit,
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
  const last = series.last as { start: bigint; time: number; value: number } | undefined
  series.last = { start: point.startTimeUnixNano, time, value }
  if (temporality === 1) {
    const start = point.startTimeUnixNano > 0n ? Number(point.startTimeUnixNano) / 1e6 : (last?.time ?? time)
    return time > start ? value / ((time - start) / 1000) : Number.NaN
  }
  if (last === undefined || time <= last.time) return Number.NaN
  // The sender says when it began to count again from nothing: before that, after the last point, it did not count.
  if (isRestarted(last.start, point.startTimeUnixNano)) {
    const start = Math.max(last.time, Number(point.startTimeUnixNano) / 1e6)
    return time > start ? value / ((time - start) / 1000) : Number.NaN
  }
  // Where it says nothing of it, a total that falls has started again.
  const increase = value < last.value ? value : value - last.value
  return increase / ((time - last.time) / 1000)
}

/** Whether a cumulative stream has started over, by the start times of two of its points (OTLP data model, "Resets and Gaps"). */
function isRestarted(before: bigint, after: bigint): boolean {
  return before !== 0n && after > before
}

function summaryLines(point: SummaryPoint): Record<string, number> {
  const lines: Record<string, number> = { mean: point.count === 0 ? Number.NaN : point.sum / point.count }
  for (const { quantile, value } of point.quantiles) lines[`p${Number((quantile * 100).toFixed(2))}`] = value
  return lines
}

function bucketLines(series: TimeSeries, point: Buckets, temporality: Temporality): Record<string, number> {
  const before = temporality === 2 ? (series.last as Buckets | undefined) : undefined
  if (temporality === 2) series.last = point
  const isContinued =
    before !== undefined &&
    before.count <= point.count &&
    !isRestarted(before.startTimeUnixNano, point.startTimeUnixNano)
  const since = isContinued ? before : undefined
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

/** Their text is bounded as a whole: the one that is over is cut. */
function labelsOf(attributes: Attributes): string[] {
  const labels: string[] = []
  let room = MAX_TEXT
  for (const [key, value] of sorted(attributes)) {
    if (room <= 0) break
    const label = `${key}=${value}`.slice(0, room)
    labels.push(label)
    room -= label.length + 2
  }
  return labels
}

function sorted(attributes: Attributes): [string, string][] {
  return Object.keys(attributes)
    .sort()
    .map((key) => [key, text(attributes[key], '')])
}

/** What tells senders and instruments of one name apart: OTLP's data model makes all of it part of a stream's identity. */
function originOf(resource: Resource, scope: Scope): [string, string][] {
  const named: [string, string][] = [
    ['scope', scope.name],
    ['scope version', scope.version],
  ]
  const all = [
    ...sorted(resource.attributes),
    ...named.filter(([, value]) => value !== ''),
    ...sorted(scope.attributes).map(([key, value]): [string, string] => [`scope ${key}`, value]),
  ]
  return all.slice(0, MAX_ORIGIN).map(([key, value]) => [key.slice(0, MAX_TEXT), value.slice(0, MAX_TEXT)])
}

/** The kind of a stream with all that makes its points comparable. */
function kindOf(data: MetricData): string {
  const over = 'temporality' in data ? TEMPORALITIES[data.temporality] : ''
  return [over, data.kind === 'sum' && data.monotonic ? 'monotonic' : '', data.kind]
    .filter((word) => word !== '')
    .join(' ')
}

/** A key of bounded length: a resource may have any number of attributes, and each series would keep them twice. */
function identity(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

function text(value: unknown, otherwise: string): string {
  if (value === undefined || value === null) return otherwise
  return typeof value === 'object'
    ? JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
    : String(value)
}
