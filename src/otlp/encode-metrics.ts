import { concat, count, double, encodeKeyValues, lengthDelimited, text } from './encode.js'
import type { NumberPoint, SumMetric } from './metrics-types.js'

/** OTLP metrics to protobuf bytes. Field numbers are those of opentelemetry-proto 1.x (`metrics.proto`). */

/** A `fixed64` or `sfixed64` field. */
function fixed64(tag: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = tag
  new DataView(bytes.buffer).setBigUint64(1, BigInt.asUintN(64, value), true)
  return bytes
}

function encodeNumber(value: NumberPoint['value']): Uint8Array {
  if (value === null) return new Uint8Array(0)
  return typeof value === 'bigint' || Number.isSafeInteger(value)
    ? fixed64(0x31, BigInt(value))
    : double(0x21, value)
}

function encodePoint({ attributes, startTimeUnixNano, timeUnixNano, flags, value }: NumberPoint): Uint8Array {
  return concat([
    fixed64(0x11, startTimeUnixNano),
    fixed64(0x19, timeUnixNano),
    encodeNumber(value),
    encodeKeyValues(0x3a, attributes, 0),
    count(0x40, flags),
  ])
}

function encodeMetric({ name, description, unit, data }: SumMetric): Uint8Array {
  const sum = data.points.map((point) => lengthDelimited(0x0a, encodePoint(point)))
  sum.push(count(0x10, data.temporality), count(0x18, data.monotonic ? 1 : 0))
  const parts = [text(0x0a, name), text(0x12, description), text(0x1a, unit)]
  return concat([...parts, lengthDelimited(0x3a, concat(sum))])
}

/**
 * The `ExportMetricsServiceRequest` of what one scope of one process has to say. Safe integers and bigints become `as_int`, other numbers
 * `as_double`.
 * @param resource An encoded `Resource` message.
 * @param scope An encoded `InstrumentationScope` message.
 */
export function encodeMetricsRequest(
  resource: Uint8Array,
  scope: Uint8Array,
  metrics: readonly SumMetric[],
): Uint8Array {
  const parts = [lengthDelimited(0x0a, scope)]
  for (const metric of metrics) parts.push(lengthDelimited(0x12, encodeMetric(metric)))
  const group = concat([lengthDelimited(0x0a, resource), lengthDelimited(0x12, concat(parts))])
  return lengthDelimited(0x0a, group)
}
