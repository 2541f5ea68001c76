import type { AnyValue, Attributes, Span, SpanEvent, SpanLink } from './types.js'

/** Room for a length that is not known yet: four bytes hold 256 MiB, and readers accept varints longer than needed. */
const LENGTH_SIZE = 4

/** Deeper values are written as unset: readers bound their recursion as well. */
const MAX_DEPTH = 64

/** Grows as it is written to, and is used again for the next span. */
class Writer {
  bytes = Buffer.allocUnsafe(4096)
  pos = 0

  reserve(size: number): void {
    if (this.pos + size <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.pos + size))
    this.bytes.copy(larger, 0, 0, this.pos)
    this.bytes = larger
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.pos++] = value
  }

  varint(tag: number, value: number): void {
    this.reserve(6)
    this.bytes[this.pos++] = tag
    let rest = value >>> 0
    for (; rest > 127; rest >>>= 7) this.bytes[this.pos++] = (rest & 127) | 128
    this.bytes[this.pos++] = rest
  }

  int64(tag: number, value: bigint): void {
    this.reserve(11)
    this.bytes[this.pos++] = tag
    let rest = BigInt.asUintN(64, value)
    for (; rest > 127n; rest >>= 7n) this.bytes[this.pos++] = Number(rest & 127n) | 128
    this.bytes[this.pos++] = Number(rest)
  }

  fixed64(tag: number, value: bigint): void {
    this.reserve(9)
    this.bytes[this.pos++] = tag
    this.pos = this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.pos)
  }

  double(tag: number, value: number): void {
    this.reserve(9)
    this.bytes[this.pos++] = tag
    this.pos = this.bytes.writeDoubleLE(value, this.pos)
  }

  /** Starts a length-delimited field; answers what `close` needs. */
  open(tag: number): number {
    this.reserve(1 + LENGTH_SIZE)
    this.bytes[this.pos++] = tag
    this.pos += LENGTH_SIZE
    return this.pos
  }

  close(start: number): void {
    const length = this.pos - start
    for (let i = 0; i < LENGTH_SIZE; i++) {
      const more = i < LENGTH_SIZE - 1 ? 128 : 0
      this.bytes[start - LENGTH_SIZE + i] = ((length >>> (7 * i)) & 127) | more
    }
  }

  text(tag: number, value: string): void {
    const size = Buffer.byteLength(value)
    this.varint(tag, size)
    this.reserve(size)
    this.pos += this.bytes.write(value, this.pos, 'utf8')
  }

  raw(tag: number, value: Uint8Array): void {
    this.varint(tag, value.length)
    this.reserve(value.length)
    this.bytes.set(value, this.pos)
    this.pos += value.length
  }
}

const writer = new Writer()

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
  writeAttributes(0x4a, span.attributes, 0)
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
  writeAttributes(0x1a, event.attributes, 0)
  writeCount(0x20, event.droppedAttributesCount)
  writer.close(start)
}

function writeLink(link: SpanLink): void {
  const start = writer.open(0x6a)
  writer.raw(0x0a, Buffer.from(link.traceId, 'hex'))
  writer.raw(0x12, Buffer.from(link.spanId, 'hex'))
  if (link.traceState !== '') writer.text(0x1a, link.traceState)
  writeAttributes(0x22, link.attributes, 0)
  writeCount(0x28, link.droppedAttributesCount)
  writeFixed32(0x35, link.flags)
  writer.close(start)
}

function writeAttributes(tag: number, attributes: Attributes, depth: number): void {
  for (const key of Object.keys(attributes)) {
    const start = writer.open(tag)
    writer.text(0x0a, key)
    writeAnyValue(0x12, attributes[key]!, depth)
    writer.close(start)
  }
}

function writeAnyValue(tag: number, value: AnyValue, depth: number): void {
  const start = writer.open(tag)
  if (typeof value === 'string') writer.text(0x0a, value)
  else if (typeof value === 'boolean') writer.varint(0x10, value ? 1 : 0)
  else if (typeof value === 'bigint') writer.int64(0x18, value)
  else if (typeof value === 'number') writeNumber(value)
  else if (value instanceof Uint8Array) writer.raw(0x3a, value)
  else if (value !== null && depth < MAX_DEPTH) {
    const list = writer.open(Array.isArray(value) ? 0x2a : 0x32)
    if (Array.isArray(value)) for (const element of value) writeAnyValue(0x0a, element, depth + 1)
    else writeAttributes(0x0a, value, depth + 1)
    writer.close(list)
  }
  writer.close(start)
}

function writeNumber(value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) writer.double(0x21, value)
  else if (value >= 0 && value <= 0xffffffff) writer.varint(0x18, value)
  else writer.int64(0x18, BigInt(value))
}
