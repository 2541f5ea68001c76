import { OtlpError } from './errors.js'
import {
  attributeMap,
  double,
  int64,
  integer,
  type JsonObject,
  list,
  nanoseconds,
  object,
  resource,
  scope,
  text,
} from './json-read.js'
import {
  type ExponentialBuckets,
  type ExponentialHistogramPoint,
  type HistogramPoint,
  type Metric,
  type MetricData,
  type MetricsRequest,
  type NumberPoint,
  type SummaryPoint,
  temporality,
} from './metrics-types.js'

/**
 * Reads OTLP/JSON metrics data, by the rules of `tracesFromJson`.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` when a field has a type that the mapping does not allow.
 */
export function metricsFromJson(value: unknown): MetricsRequest {
  const request = object(value, 'request')
  return {
    resourceMetrics: list(request['resourceMetrics'], 'resourceMetrics', (group) => ({
      resource: resource(group['resource']),
      scopeMetrics: list(group['scopeMetrics'], 'scopeMetrics', (inner) => ({
        scope: scope(inner['scope']),
        metrics: list(inner['metrics'], 'metrics', readMetric),
        schemaUrl: text(inner['schemaUrl'], 'schemaUrl'),
      })),
      schemaUrl: text(group['schemaUrl'], 'schemaUrl'),
    })),
  }
}

function readMetric(json: JsonObject): Metric {
  return {
    name: text(json['name'], 'metric.name'),
    description: text(json['description'], 'description'),
    unit: text(json['unit'], 'unit'),
    data: readData(json),
  }
}

function readData(json: JsonObject): MetricData | null {
  for (const kind of ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const) {
    if (json[kind] === undefined || json[kind] === null) continue
    const data = object(json[kind], kind)
    const over = temporality(integer(data['aggregationTemporality'], 'aggregationTemporality') >>> 0)
    const points = data['dataPoints']
    switch (kind) {
      case 'gauge':
        return { kind, points: list(points, kind, numberPoint) }
      case 'sum':
        return {
          kind,
          points: list(points, kind, numberPoint),
          temporality: over,
          monotonic: data['isMonotonic'] === true,
        }
      case 'histogram':
        return { kind, points: list(points, kind, histogramPoint), temporality: over }
      case 'exponentialHistogram':
        return { kind, points: list(points, kind, exponentialPoint), temporality: over }
      case 'summary':
        return { kind, points: list(points, kind, summaryPoint) }
    }
  }
  return null
}

function point(json: JsonObject) {
  return {
    attributes: attributeMap(json['attributes']),
    startTimeUnixNano: nanoseconds(json['startTimeUnixNano'], 'startTimeUnixNano'),
    timeUnixNano: nanoseconds(json['timeUnixNano'], 'timeUnixNano'),
    flags: integer(json['flags'], 'flags') >>> 0,
  }
}

function numberPoint(json: JsonObject): NumberPoint {
  return { ...point(json), value: pointValue(json) }
}

function pointValue(json: JsonObject): number | bigint | null {
  if (json['asDouble'] !== undefined && json['asDouble'] !== null) return double(json['asDouble'], 'asDouble')
  if (json['asInt'] === undefined || json['asInt'] === null) return null
  const value = int64(json['asInt'], 'asInt')
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt.asIntN(64, value)
}

function counted(json: JsonObject) {
  return {
    ...point(json),
    count: Number(int64(json['count'], 'count')),
    sum: optional(json['sum'], 'sum'),
    min: optional(json['min'], 'min'),
    max: optional(json['max'], 'max'),
  }
}

function histogramPoint(json: JsonObject): HistogramPoint {
  return {
    ...counted(json),
    bucketCounts: numbers(json['bucketCounts'], 'bucketCounts'),
    explicitBounds: numbers(json['explicitBounds'], 'explicitBounds'),
  }
}

function exponentialPoint(json: JsonObject): ExponentialHistogramPoint {
  return {
    ...counted(json),
    scale: integer(json['scale'], 'scale'),
    zeroCount: Number(int64(json['zeroCount'], 'zeroCount')),
    zeroThreshold: double(json['zeroThreshold'], 'zeroThreshold'),
    positive: buckets(json['positive']),
    negative: buckets(json['negative']),
  }
}

function buckets(value: unknown): ExponentialBuckets {
  const json = object(value ?? {}, 'buckets')
  return {
    offset: integer(json['offset'], 'offset'),
    bucketCounts: numbers(json['bucketCounts'], 'bucketCounts'),
  }
}

function summaryPoint(json: JsonObject): SummaryPoint {
  return {
    ...point(json),
    count: Number(int64(json['count'], 'count')),
    sum: double(json['sum'], 'sum'),
    quantiles: list(json['quantileValues'], 'quantileValues', (pair) => ({
      quantile: double(pair['quantile'], 'quantile'),
      value: double(pair['value'], 'value'),
    })),
  }
}

function optional(value: unknown, field: string): number | null {
  return value === undefined || value === null ? null : double(value, field)
}

function numbers(value: unknown, field: string): number[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new OtlpError(`${field} is not an array`)
  return value.map((element) => double(element, field))
}
