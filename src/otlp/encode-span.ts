import { MessageWriter } from './message-writer.js'
import type { Span, SpanEvent, SpanLink } from './types.js'

const writer = new MessageWriter()

/**
 * The bytes of one `opentelemetry.proto.trace.v1.Span` message, without tag and length; defaults are left out. Numbers
 * are written as `int_value` where they are safe integers, else as `double_value`.
 */
export function encodeSpan(span: Span): Uint8Array {
  writer.pos = 0
  writer.raw(0x0a, Buffer.from(span.traceId, 'hex'))
  writer.raw(0x12, Buffer.from(span.spanId, 'hex'))
  if (span.traceState !== '') writer.text(0x1a, span.traceState)
  if (span.parentSpanId !== '') writer.raw(0x22, Buffer.from(span.parentSpanId, 'hex'))
  writer.text(0x2a, span.name)
  if (span.kind !== 0) writer.varint(0x30, span.kind)
  writer.fixed64(0x39, span.startTimeUnixNano)
  writer.fixed64(0x41, span.endTimeUnixNano)
  writer.attributes(0x4a, span.attributes)
  writeCount(0x50, span.droppedAttributesCount)
  for (const event of span.events) writeEvent(event)
  writeCount(0x60, span.droppedEventsCount)
  for (const link of span.links) writeLink(link)
  writeCount(0x70, span.droppedLinksCount)
  const status = writer.open(0x7a)
  if (span.status.message !== '') writer.text(0x12, span.status.message)
  if (span.status.code !== 0) writer.varint(0x18, span.status.code)
  writer.close(status)
  // Field 16 needs a tag of two bytes.
  writer.byte(0x85)
  writeFixed32(0x01, span.flags)
  return new Uint8Array(writer.bytes.subarray(0, writer.pos))
}

function writeFixed32(tag: number, value: number): void {
  writer.reserve(5)
  writer.bytes[writer.pos++] = tag
  writer.pos = writer.bytes.writeUInt32LE(value >>> 0, writer.pos)
}

function writeCount(tag: number, count: number): void {
  if (count !== 0) writer.varint(tag, count)
}

function writeEvent(event: SpanEvent): void {
  const start = writer.open(0x5a)
  writer.fixed64(0x09, event.timeUnixNano)
  writer.text(0x12, event.name)
  writer.attributes(0x1a, event.attributes)
  writeCount(0x20, event.droppedAttributesCount)
  writer.close(start)
}

function writeLink(link: SpanLink): void {
  const start = writer.open(0x6a)
  writer.raw(0x0a, Buffer.from(link.traceId, 'hex'))
  writer.raw(0x12, Buffer.from(link.spanId, 'hex'))
  if (link.traceState !== '') writer.text(0x1a, link.traceState)
  writer.attributes(0x22, link.attributes)
  writeCount(0x28, link.droppedAttributesCount)
  writeFixed32(0x35, link.flags)
  writer.close(start)
}
