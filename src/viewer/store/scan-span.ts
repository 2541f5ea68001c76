import { MAX_DEPTH } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { fields, type ProtobufReader } from '../../otlp/protobuf.js'
import { FIRST_LABEL, Key, keyAt, keyBit } from './keys.js'

const SPAN = fields(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const EVENT = fields(1, 2, 3, 4)
const LINK = fields(1, 2, 3, 4, 5, 6)
const STATUS = fields(2, 3)
const KEY_VALUE = fields(1, 2)
const ANY_VALUE = fields(1, 2, 3, 4, 5, 6, 7)
const LIST = fields(1)

/** What the store needs of an encoded span: numbers, and offsets into the bytes it was read from. */
export class SpanScan {
  start = 0
  end = 0
  traceAt = 0
  traceLength = 0
  spanAt = 0
  spanLength = 0
  parentAt = 0
  parentLength = 0
  nameAt = 0
  nameEnd = 0
  kind = 0
  status = 0
  flags = 0
  startLow = 0
  startHigh = 0
  endLow = 0
  endHigh = 0
  http = 0
  threadId = -1
  threadNameAt = 0
  threadNameEnd = 0
  closed = false
  exception = false
  links = false
  /** A bit for each key of an attribute, of the span or of an event, see `keyBit`. */
  keysLow = 0
  keysHigh = 0
  /** Milliseconds of `threadspan.queue.wait`. */
  wait = 0
  labelKey = 0
  labelAt = 0
  labelEnd = 0
}

/** Scans the Span message that `reader` is in, from `pos` to `end`. @throws OtlpError */
export function scanSpan(reader: ProtobufReader): SpanScan {
  const span = new SpanScan()
  span.start = reader.pos
  span.end = reader.end
  while (reader.pos < reader.end) scanField(reader, reader.tag(), span)
  return span
}

function scanField(reader: ProtobufReader, tag: number, span: SpanScan): void {
  switch (tag) {
    case 0x0a:
      bytes(reader)
      span.traceAt = valueAt
      span.traceLength = valueEnd - valueAt
      break
    case 0x12:
      bytes(reader)
      span.spanAt = valueAt
      span.spanLength = valueEnd - valueAt
      break
    case 0x22:
      bytes(reader)
      span.parentAt = valueAt
      span.parentLength = valueEnd - valueAt
      break
    case 0x2a:
      bytes(reader)
      span.nameAt = valueAt
      span.nameEnd = valueEnd
      break
    case 0x30: {
      const kind = reader.uint32()
      span.kind = kind <= 5 ? kind : 0
      break
    }
    case 0x39:
      reader.fixed64()
      span.startLow = reader.low
      span.startHigh = reader.high
      break
    case 0x41:
      reader.fixed64()
      span.endLow = reader.low
      span.endHigh = reader.high
      break
    case 0x4a:
      scanAttribute(reader, span)
      break
    case 0x5a:
      scanEvent(reader, span)
      break
    case 0x6a:
      span.links = true
      scanLink(reader)
      break
    case 0x7a:
      scanStatus(reader, span)
      break
    case 0x85:
      span.flags = reader.fixed32()
      break
    case 0x1a:
    case 0x50:
    case 0x60:
    case 0x70:
      reader.skip(tag)
      break
    default:
      reader.skip(tag, SPAN)
  }
}

// What the last `bytes`, `pair` or `value` read: offsets of text or bytes, or the number. Module variables, because this
// is called for every attribute of every span.
let valueTag = 0
let valueAt = 0
let valueEnd = 0
let valueNumber = 0
let keyFrom = 0
let keyLength = 0

function bytes(reader: ProtobufReader): void {
  const outer = reader.enter()
  valueAt = reader.pos
  valueEnd = reader.end
  reader.leave(outer)
}

function scanAttribute(reader: ProtobufReader, span: SpanScan): void {
  pair(reader, 0)
  noteKey(reader, span)
  const key = keyAt(reader.bytes, keyFrom, keyLength)
  if (key === Key.other) return
  const isText = valueTag === 0x0a
  const isNumber = valueTag === 0x18 || valueTag === 0x21
  if (key >= FIRST_LABEL) {
    if (!isText || (span.labelKey !== 0 && span.labelKey <= key)) return
    span.labelKey = key
    span.labelAt = valueAt
    span.labelEnd = valueEnd
  } else if (key === Key.threadName) {
    if (!isText) return
    span.threadNameAt = valueAt
    span.threadNameEnd = valueEnd
  } else if (key === Key.closed) span.closed = true
  else if (!isNumber) return
  else if (key === Key.threadId) span.threadId = valueNumber
  else if (key === Key.wait) span.wait = valueNumber
  else if (valueNumber > 0 && valueNumber < 1000 && (key === Key.http || span.http === 0)) {
    span.http = valueNumber
  }
}

function noteKey(reader: ProtobufReader, span: SpanScan): void {
  const bit = keyBit(reader.bytes, keyFrom, keyLength)
  if (bit < 32) span.keysLow |= 1 << bit
  else span.keysHigh |= 1 << (bit - 32)
}

function scanEvent(reader: ProtobufReader, span: SpanScan): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x12) {
      bytes(reader)
      if (valueEnd - valueAt === 9 && reader.bytes.toString('latin1', valueAt, valueEnd) === 'exception') {
        span.exception = true
      }
    } else if (tag === 0x1a) {
      pair(reader, 0)
      noteKey(reader, span)
    } else if (tag === 0x09 || tag === 0x20) reader.skip(tag)
    else reader.skip(tag, EVENT)
  }
  reader.leave(outer)
}

function scanLink(reader: ProtobufReader): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x22) pair(reader, 0)
    else if (tag === 0x0a || tag === 0x12 || tag === 0x1a || tag === 0x28 || tag === 0x35) reader.skip(tag)
    else reader.skip(tag, LINK)
  }
  reader.leave(outer)
}

function scanStatus(reader: ProtobufReader, span: SpanScan): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x18) span.status = reader.uint32()
    else if (tag === 0x12) reader.skip(tag)
    else reader.skip(tag, STATUS)
  }
  reader.leave(outer)
}

/** Passes over a KeyValue; key and value stay in the variables above. */
function pair(reader: ProtobufReader, depth: number): void {
  let from = 0
  let length = 0
  valueTag = 0
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      const rest = reader.enter()
      from = reader.pos
      length = reader.end - from
      reader.leave(rest)
    } else if (tag === 0x12) value(reader, depth)
    else reader.skip(tag, KEY_VALUE)
  }
  reader.leave(outer)
  keyFrom = from
  keyLength = length
}

/** Passes over an AnyValue, as `readAnyValue` does. */
function value(reader: ProtobufReader, depth: number): void {
  if (depth > MAX_DEPTH) throw new OtlpError(`attribute values nested deeper than ${MAX_DEPTH}`)
  let kind = 0
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    kind = tag
    if (tag === 0x0a || tag === 0x3a) bytes(reader)
    else if (tag === 0x18) valueNumber = Number(reader.int64())
    else if (tag === 0x21) valueNumber = reader.double()
    else if (tag === 0x2a || tag === 0x32) list(reader, tag, depth + 1)
    else if (tag === 0x10) reader.varint64()
    else reader.skip(tag, ANY_VALUE)
  }
  reader.leave(outer)
  valueTag = kind
}

function list(reader: ProtobufReader, kind: number, depth: number): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag !== 0x0a) reader.skip(tag, LIST)
    else if (kind === 0x2a) value(reader, depth)
    else pair(reader, depth)
  }
  reader.leave(outer)
}
