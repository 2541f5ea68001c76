import type { LogRecord } from './logs-types.js'
import { MessageWriter } from './message-writer.js'

const writer = new MessageWriter()

/** Tag and length: the length in three bytes, as spans' records have it, so that readers find the next field without parsing this one. */
const HEAD = 4
/** What a length of three bytes can say. */
const MOST = 2 ** 21 - 1

/**
 * One complete `ScopeLogs.log_records` field (opentelemetry-proto 1.x, `logs.proto`); defaults are left out.
 *
 * @returns a copy; undefined where it is larger than two megabytes.
 */
export function encodeLog(record: LogRecord): Uint8Array | undefined {
  writer.pos = 0
  writer.reserve(HEAD)
  writer.pos = HEAD
  if (record.timeUnixNano !== 0n) writer.fixed64(0x09, record.timeUnixNano)
  if (record.severityNumber !== 0) writer.varint(0x10, record.severityNumber)
  if (record.severityText !== '') writer.text(0x1a, record.severityText)
  if (record.body !== null) writer.anyValue(0x2a, record.body)
  writer.attributes(0x32, record.attributes)
  if (record.droppedAttributesCount !== 0) writer.varint(0x38, record.droppedAttributesCount)
  if (record.flags !== 0) {
    writer.reserve(5)
    writer.bytes[writer.pos++] = 0x45
    writer.pos = writer.bytes.writeUInt32LE(record.flags >>> 0, writer.pos)
  }
  if (record.traceId !== '') writer.hex(0x4a, record.traceId)
  if (record.spanId !== '') writer.hex(0x52, record.spanId)
  writer.fixed64(0x59, record.observedTimeUnixNano)
  if (record.eventName !== '') writer.text(0x62, record.eventName)
  const length = writer.pos - HEAD
  if (length > MOST) return undefined
  const { bytes } = writer
  bytes[0] = 0x12
  bytes[1] = (length & 127) | 128
  bytes[2] = ((length >>> 7) & 127) | 128
  bytes[3] = length >>> 14
  // From Node's pool: a memory of its own for each record would cost more than writing it.
  const copy = Buffer.allocUnsafe(writer.pos)
  bytes.copy(copy, 0, 0, writer.pos)
  return copy
}
