import type { Attributes, Resource, Scope } from './types.js'

// OTLP metrics data as plain objects: opentelemetry-proto 1.x, `metrics.proto`. Exemplars are written, and not kept in reading.

/** `AggregationTemporality`: 0 unspecified, 1 delta, 2 cumulative. */
export type Temporality = 0 | 1 | 2

/** `Exemplar`: a value, and the span that it was measured in. */
export interface Exemplar {
  value: number
  /** Nanoseconds since the Unix epoch. */
  timeUnixNano: bigint
  /** 32 and 16 lower-case hexadecimal digits. */
  traceId: string
  spanId: string
}

/** What all data points have. */
interface Point {
  attributes: Attributes
  /** Nanoseconds since the Unix epoch; 0 when unknown. */
  startTimeUnixNano: bigint
  /** Nanoseconds since the Unix epoch. */
  timeUnixNano: bigint
  /** Bit 0: no value was recorded. */
  flags: number
  /** Not set by reading. */
  exemplars?: readonly Exemplar[]
}

/** `NumberDataPoint`: of a gauge or a sum. */
export interface NumberPoint extends Point {
  /** Integers beyond 2^53 are bigints; null when the sender set none. */
  value: number | bigint | null
  /** Whether whole numbers are written as doubles too: the values of one metric are of one type. Not set by reading. */
  isDouble?: true
}

/** What all distributions have. */
interface Counted extends Point {
  count: number
  /** Absent for instruments that take negative values. */
  sum: number | null
  min: number | null
  max: number | null
}

/** `HistogramDataPoint`. */
export interface HistogramPoint extends Counted {
  /** One more than `explicitBounds`, or empty. */
  bucketCounts: number[]
  /** Upper bounds, inclusive, ascending. */
  explicitBounds: number[]
}

/** `ExponentialHistogramDataPoint.Buckets`. */
export interface ExponentialBuckets {
  offset: number
  /** Bucket i covers (base^(offset+i), base^(offset+i+1)], base = 2^(2^-scale). */
  bucketCounts: number[]
}

/** `ExponentialHistogramDataPoint`. */
export interface ExponentialHistogramPoint extends Counted {
  scale: number
  zeroCount: number
  zeroThreshold: number
  positive: ExponentialBuckets
  negative: ExponentialBuckets
}

/** `SummaryDataPoint`. */
export interface SummaryPoint extends Point {
  count: number
  sum: number
  quantiles: { quantile: number; value: number }[]
}

/** The `data` of a metric by its kind, or null when the sender set none that is known. */
export type MetricData =
  | { kind: 'gauge'; points: NumberPoint[] }
  | { kind: 'sum'; points: NumberPoint[]; temporality: Temporality; monotonic: boolean }
  | { kind: 'histogram'; points: HistogramPoint[]; temporality: Temporality }
  | { kind: 'exponentialHistogram'; points: ExponentialHistogramPoint[]; temporality: Temporality }
  | { kind: 'summary'; points: SummaryPoint[] }

/** `Metric`: one name with all its data points of one process. */
export interface Metric {
  name: string
  description: string
  /** UCUM unit, e.g. `ms`, `By`, `{request}`. */
  unit: string
  data: MetricData | null
}

/** A metric that is a sum. */
export interface SumMetric extends Metric {
  data: Extract<MetricData, { kind: 'sum' }>
}

/** `ScopeMetrics`. */
export interface ScopeMetrics {
  scope: Scope
  metrics: Metric[]
  schemaUrl: string
}

/** `ResourceMetrics`. */
export interface ResourceMetrics {
  resource: Resource
  scopeMetrics: ScopeMetrics[]
  schemaUrl: string
}

/** `ExportMetricsServiceRequest`, and a `MetricsData` line of an OTLP JSON file. */
export interface MetricsRequest {
  resourceMetrics: ResourceMetrics[]
}

/** `AggregationTemporality` of a number from the wire; an unknown one is unspecified. */
export function temporality(value: number): Temporality {
  return value <= 2 ? (value as Temporality) : 0
}
