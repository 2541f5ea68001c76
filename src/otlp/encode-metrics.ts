import {
  concat,
  count,
  double,
  encodeKeyValues,
  encodeScope,
  lengthDelimited,
  putVarint,
  text,
  varintSize,
} from './encode.js'
import type {
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  MetricData,
  NumberPoint,
  ScopeMetrics,
} from './metrics-types.js'

/** OTLP metrics to protobuf bytes. Field numbers are those of opentelemetry-proto 1.x (`metrics.proto`). */

/** A `fixed64` or `sfixed64` field. */
function fixed64(tag: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = tag
  new DataView(bytes.buffer).setBigUint64(1, BigInt.asUintN(64, value), true)
  return bytes
}

const NOTHING = new Uint8Array(0)

function encodeNumber({ value, isDouble }: NumberPoint): Uint8Array {
  if (value === null) return NOTHING
  const isInt = typeof value === 'bigint' || (Number.isSafeInteger(value) && isDouble !== true)
  return isInt ? fixed64(0x31, BigInt(value)) : double(0x21, Number(value))
}

function encodeExemplars(tag: number, { exemplars = [] }: Pick<NumberPoint, 'exemplars'>): Uint8Array {
  return concat(
    exemplars.map(({ value, timeUnixNano, traceId, spanId }) =>
      lengthDelimited(
        tag,
        concat([
          fixed64(0x11, timeUnixNano),
          double(0x19, value),
          lengthDelimited(0x22, Buffer.from(spanId, 'hex')),
          lengthDelimited(0x2a, Buffer.from(traceId, 'hex')),
        ]),
      ),
    ),
  )
}

function encodePoint(point: NumberPoint): Uint8Array {
  return concat([
    fixed64(0x11, point.startTimeUnixNano),
    fixed64(0x19, point.timeUnixNano),
    encodeNumber(point),
    encodeExemplars(0x2a, point),
    encodeKeyValues(0x3a, point.attributes, 0),
    count(0x40, point.flags),
  ])
}

/** A packed `repeated fixed64` field. */
function packed64(tag: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setBigUint64(8 * i, BigInt(value), true)
  return lengthDelimited(tag, bytes)
}

/** A packed `repeated double` field. */
function packedDoubles(tag: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setFloat64(8 * i, value, true)
  return lengthDelimited(tag, bytes)
}

const optional = (tag: number, value: number | null): Uint8Array =>
  value === null ? NOTHING : double(tag, value)

function encodeHistogramPoint(point: HistogramPoint): Uint8Array {
  return concat([
    fixed64(0x11, point.startTimeUnixNano),
    fixed64(0x19, point.timeUnixNano),
    fixed64(0x21, BigInt(point.count)),
    optional(0x29, point.sum),
    packed64(0x32, point.bucketCounts),
    packedDoubles(0x3a, point.explicitBounds),
    encodeExemplars(0x42, point),
    encodeKeyValues(0x4a, point.attributes, 0),
    count(0x50, point.flags),
    optional(0x59, point.min),
    optional(0x61, point.max),
  ])
}

/** An `sint32` field: zigzag. */
function sint32(tag: number, value: number): Uint8Array {
  return count(tag, value < 0 ? -2 * value - 1 : 2 * value)
}

/** A packed `repeated uint64` field. */
function packedVarints(tag: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((size, value) => size + varintSize(value), 0))
  let at = 0
  for (const value of values) at = putVarint(bytes, at, value)
  return lengthDelimited(tag, bytes)
}

function encodeBuckets(tag: number, { offset, bucketCounts }: ExponentialBuckets): Uint8Array {
  return lengthDelimited(tag, concat([sint32(0x08, offset), packedVarints(0x12, bucketCounts)]))
}

function encodeExponentialPoint(point: ExponentialHistogramPoint): Uint8Array {
  return concat([
    encodeKeyValues(0x0a, point.attributes, 0),
    fixed64(0x11, point.startTimeUnixNano),
    fixed64(0x19, point.timeUnixNano),
    fixed64(0x21, BigInt(point.count)),
    optional(0x29, point.sum),
    sint32(0x30, point.scale),
    fixed64(0x39, BigInt(point.zeroCount)),
    encodeBuckets(0x42, point.positive),
    encodeBuckets(0x4a, point.negative),
    count(0x50, point.flags),
    encodeExemplars(0x5a, point),
    optional(0x61, point.min),
    optional(0x69, point.max),
  ])
}

/** The `data` field. @throws TypeError for kinds that this package only receives. */
function encodeData(data: MetricData): Uint8Array {
  switch (data.kind) {
    case 'gauge':
      return lengthDelimited(
        0x2a,
        concat(data.points.map((point) => lengthDelimited(0x0a, encodePoint(point)))),
      )
    case 'sum': {
      const sum = data.points.map((point) => lengthDelimited(0x0a, encodePoint(point)))
      sum.push(count(0x10, data.temporality), count(0x18, data.monotonic ? 1 : 0))
      return lengthDelimited(0x3a, concat(sum))
    }
    case 'histogram': {
      const histogram = data.points.map((point) => lengthDelimited(0x0a, encodeHistogramPoint(point)))
      histogram.push(count(0x10, data.temporality))
      return lengthDelimited(0x4a, concat(histogram))
    }
    case 'exponentialHistogram': {
      const points = data.points.map((point) => lengthDelimited(0x0a, encodeExponentialPoint(point)))
      return lengthDelimited(0x52, concat([...points, count(0x10, data.temporality)]))
    }
    default:
      throw new TypeError(`no metrics of kind ${data.kind} are made here`)
  }
}

function encodeMetric({ name, description, unit, data }: Metric): Uint8Array {
  const parts = [text(0x0a, name), text(0x12, description), text(0x1a, unit)]
  if (data !== null) parts.push(encodeData(data))
  return concat(parts)
}

function encodeScopeMetrics({ scope, metrics, schemaUrl }: ScopeMetrics): Uint8Array {
  const parts = [lengthDelimited(0x0a, encodeScope(scope.name, scope.version))]
  for (const metric of metrics) parts.push(lengthDelimited(0x12, encodeMetric(metric)))
  if (schemaUrl !== '') parts.push(text(0x1a, schemaUrl))
  return concat(parts)
}

/** What one process, or several of one resource, have measured. */
export interface ResourceGroup {
  /** An encoded `Resource` message. */
  readonly resource: Uint8Array
  readonly scopes: readonly ScopeMetrics[]
}

/** An `ExportMetricsServiceRequest`. Safe integers and bigints become `as_int`, other numbers `as_double`. */
export function encodeMetricsRequest(groups: readonly ResourceGroup[]): Uint8Array {
  return concat(
    groups.map(({ resource, scopes }) => {
      const parts = [lengthDelimited(0x0a, resource)]
      for (const scope of scopes) parts.push(lengthDelimited(0x12, encodeScopeMetrics(scope)))
      return lengthDelimited(0x0a, concat(parts))
    }),
  )
}
