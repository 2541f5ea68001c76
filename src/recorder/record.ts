/**
 * The record of a span: a complete `ScopeSpans.spans` field, ready to be laid behind others in an export request.
 *
 *   12 LL LL LL            tag and length of the Span
 *   50 80 00 41 end        a filler, then `end_time_unix_nano`
 *   start                  written when the span starts, copied from its slot
 *   attributes, events, links, status, trace state
 *   50 ...                 `dropped_attributes_count`, wide enough to align the next record
 *
 * The start is laid out so that every id and time lies on a word boundary:
 *
 *   thread attributes      the same for all spans of a thread, padded
 *   0a 90 80 00 trace_id   12 88 80 00 span_id   [22 88 80 00 parent_span_id]
 *   30 kk 00 39 start      `kind` and `start_time_unix_nano`
 *   50 00 85 01 flags      a filler, then `flags`
 *   name, attributes given at the start
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { type Origin, writeUnixNano } from '../core/clock.js'
import { wordOfHex } from '../core/ids.js'
import {
  ALIGN_BOUND,
  beginMessage,
  finishMessage,
  writeAttribute,
  writeDroppedAndAlign,
  writeString,
  writeVarint,
} from './encoder.js'
import { boundOfSpan, shrink } from './outsize.js'
import type { RecordSink } from './sink.js'
import { SLOT_BODY, SLOT_SIZE } from './sink.js'
import type { RecordedEvent, RecordedLink, RecordedSpan } from './span.js'

/** OTLP `SpanFlags`: whether the parent is remote is known, and whether it is. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

/** Little-endian words that precede an aligned field. */
const TRACE_ID = 0x0080900a
const SPAN_ID = 0x00808812
const PARENT_ID = 0x00808822
const KIND_AND_START = 0x39008030
const FLAGS = 0x01850050
const FILLER_AND_END = 0x41008050

/** Tag, length, filler and end time. */
const HEAD = 16
/** The start without thread attributes and name. */
const FIXED_START = 64
/** What is reserved before the size of a record is known; a record that needs more is measured and reserved again. */
const USUAL = 1024
/** Characters of a name that a slot keeps when the whole name does not fit. */
const SHORT_NAME = 64

/**
 * Writes a span's start into the memory at `at`.
 * @param at A multiple of 4; the thread attributes are already there, `fixed` bytes long.
 * @returns The position behind it, or -1 when name and fixed part do not fit.
 */
function writeStart(
  sink: RecordSink,
  at: number,
  limit: number,
  fixed: number,
  span: RecordedSpan,
  name: string,
): number {
  const { words } = sink
  if (at + fixed + FIXED_START + 3 * name.length + 6 > limit) return -1
  let w = (at + fixed) >> 2
  const { trace } = span
  words[w] = TRACE_ID
  words[w + 1] = trace.w0
  words[w + 2] = trace.w1
  words[w + 3] = trace.w2
  words[w + 4] = trace.w3
  words[w + 5] = SPAN_ID
  words[w + 6] = span.s0
  words[w + 7] = span.s1
  w += 8
  if (span.p0 !== 0 || span.p1 !== 0) {
    words[w] = PARENT_ID
    words[w + 1] = span.p0
    words[w + 2] = span.p1
    w += 3
  }
  words[w] = KIND_AND_START | ((span.kind | 0x80) << 8)
  writeUnixNano(words, w + 1, span.start, span.origin)
  words[w + 3] = FLAGS
  words[w + 4] = span.traceFlags | HAS_IS_REMOTE | (span.parentIsRemote ? IS_REMOTE : 0)
  return writeString(sink.bytes, (w + 5) << 2, limit, 0x2a, name)
}

/**
 * Encodes a span's start into a slot of the open-span table, where the collector finds it should this thread die.
 * @param thread The encoded thread attributes, their length a multiple of 4.
 */
export function openRecord(sink: RecordSink, span: RecordedSpan, thread: Buffer): void {
  const slot = sink.openSlot()
  if (slot === 0) return
  const { bytes } = sink
  const body = slot + SLOT_BODY
  const limit = slot + SLOT_SIZE
  // A slot that was used before still has the thread's attributes at its start.
  if (bytes[body] !== thread[0]) bytes.set(thread, body)
  let whole = true
  let p = writeStart(sink, body, limit, thread.length, span, span.name)
  if (p < 0) {
    whole = false
    p = writeStart(sink, body, limit, thread.length, span, span.name.substring(0, SHORT_NAME))
  }
  const list = span.attributes
  if (list !== undefined) {
    for (let i = 0; i < list.length; i += 2) {
      const next = writeAttribute(bytes, p, limit, 0x4a, list[i] as string, list[i + 1] as AttributeValue)
      if (next < 0) break
      p = next
      span.encodedAttributes++
    }
  }
  span.slot = slot
  span.prefix = whole ? p - body : 0
  sink.armSlot(slot, p - body, span.scope.id)
}

/** Writes the record of a span that ended at `time`, in milliseconds of this thread's clock, which lies at `origin`. */
export function closeRecord(
  sink: RecordSink,
  span: RecordedSpan,
  time: number,
  origin: Origin,
  thread: Buffer,
): void {
  const { scope, slot } = span
  if (scope.id < 0) scope.id = sink.defineScope(scope.encoded, scope.schemaUrl)
  if (scope.id < 0 || (sink.currentScope !== scope.id && !sink.selectScope(scope.id))) {
    sink.drop('ring-full')
    sink.freeSlot(slot)
    return
  }
  let end = -1
  if (span.extras === undefined) {
    const at = sink.reserve(USUAL)
    if (at < 0) {
      sink.freeSlot(slot)
      return
    }
    end = writeSpan(sink, at, at + USUAL, span, time, origin, thread)
  }
  if (end < 0) end = writeMeasured(sink, span, time, origin, thread)
  if (end < 0) sink.freeSlot(slot)
  else sink.commit(end, slot)
}

/** The slow path: the exact bound is reserved, and what exceeds every ring is cut. */
function writeMeasured(
  sink: RecordSink,
  span: RecordedSpan,
  time: number,
  origin: Origin,
  thread: Buffer,
): number {
  let bound = boundOfSpan(span, thread.length)
  if (bound > sink.maxRecord) {
    shrink(span)
    bound = boundOfSpan(span, thread.length)
    if (bound > sink.maxRecord) {
      sink.drop('too-large')
      return -1
    }
  }
  const at = sink.reserve(bound)
  return at < 0 ? -1 : writeSpan(sink, at, at + bound, span, time, origin, thread)
}

function writeSpan(
  sink: RecordSink,
  at: number,
  limit: number,
  span: RecordedSpan,
  time: number,
  origin: Origin,
  thread: Buffer,
): number {
  const { bytes, words } = sink
  let w = at >> 2
  words[w + 1] = FILLER_AND_END
  writeUnixNano(words, w + 2, time, origin)
  w += 4
  let p: number
  let done = 0
  const prefix = span.prefix
  if (prefix > 0) {
    if (at + HEAD + prefix + 16 > limit) return -1
    const from = (span.slot + SLOT_BODY) >> 2
    const count = (prefix + 3) >> 2
    for (let i = 0; i < count; i++) words[w + i] = words[from + i]!
    p = at + HEAD + prefix
    done = span.encodedAttributes * 2
  } else {
    if (at + HEAD + thread.length > limit) return -1
    bytes.set(thread, at + HEAD)
    p = writeStart(sink, at + HEAD, limit, thread.length, span, span.name)
    if (p < 0) return -1
  }
  const list = span.attributes
  if (list !== undefined) {
    for (let i = done; i < list.length; i += 2) {
      p = writeAttribute(bytes, p, limit, 0x4a, list[i] as string, list[i + 1] as AttributeValue)
      if (p < 0) return -1
    }
  }
  let dropped = 0
  const { extras } = span
  if (extras !== undefined) {
    dropped = extras.droppedAttributes
    for (const event of extras.events) p = writeEvent(sink, p, limit, event)
    for (const link of extras.links) p = writeLink(bytes, p, limit, link)
    if (extras.droppedEvents > 0) p = writeCount(bytes, p, 0x60, extras.droppedEvents)
    if (extras.droppedLinks > 0) p = writeCount(bytes, p, 0x70, extras.droppedLinks)
  }
  if (span.traceState !== undefined) {
    p = writeString(bytes, p, limit, 0x1a, span.traceState.serialize())
    if (p < 0) return -1
  }
  if (span.statusCode !== 0) {
    p = writeStatus(bytes, p, limit, span.statusCode, span.statusMessage)
    if (p < 0) return -1
  }
  if (p + ALIGN_BOUND > limit) return -1
  p = writeDroppedAndAlign(bytes, p, dropped)
  const length = p - at - 4
  bytes[at] = 0x12
  bytes[at + 1] = (length & 127) | 128
  bytes[at + 2] = ((length >> 7) & 127) | 128
  bytes[at + 3] = length >> 14
  return p
}

function writeCount(b: Uint8Array, at: number, tag: number, count: number): number {
  b[at] = tag
  return writeVarint(b, at + 1, count)
}

function writeStatus(b: Buffer, at: number, limit: number, code: number, message = ''): number {
  if (at + 3 * message.length + 20 > limit) return -1
  const start = beginMessage(b, at, 0x7a)
  let p = message === '' ? start : writeString(b, start, limit, 0x12, message)
  b[p++] = 0x18
  b[p++] = code
  return finishMessage(b, start, p)
}

function writeAttributes(
  b: Buffer,
  at: number,
  limit: number,
  tag: number,
  attributes: Attributes | undefined,
): number {
  let p = at
  for (const key in attributes) p = writeAttribute(b, p, limit, tag, key, attributes[key])
  return p
}

/** Events and links come only after an exact reservation, so nothing here can run out of room. */
function writeEvent(sink: RecordSink, at: number, limit: number, event: RecordedEvent): number {
  const { bytes } = sink
  const start = beginMessage(bytes, at, 0x5a)
  bytes[start] = 0x09
  time[0] = 0
  writeUnixNano(time, 0, event.time, event.origin)
  for (let i = 0; i < 8; i++) bytes[start + 1 + i] = timeBytes[i]!
  let p = writeString(bytes, start + 9, limit, 0x12, event.name)
  p = writeAttributes(bytes, p, limit, 0x1a, event.attributes)
  if (event.dropped > 0) p = writeCount(bytes, p, 0x20, event.dropped)
  return finishMessage(bytes, start, p)
}

function writeLink(b: Buffer, at: number, limit: number, link: RecordedLink): number {
  const { traceId, spanId, traceState, traceFlags, isRemote } = link.context
  const start = beginMessage(b, at, 0x6a)
  let p = writeId(b, start, 0x0a, traceId)
  p = writeId(b, p, 0x12, spanId)
  if (traceState !== undefined) p = writeString(b, p, limit, 0x1a, traceState.serialize())
  p = writeAttributes(b, p, limit, 0x22, link.attributes)
  if (link.dropped > 0) p = writeCount(b, p, 0x28, link.dropped)
  const flags = (traceFlags & 255) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0)
  b[p] = 0x35
  b[p + 1] = flags & 255
  b[p + 2] = flags >> 8
  b[p + 3] = 0
  b[p + 4] = 0
  return finishMessage(b, start, p + 5)
}

const time = new Int32Array(2)
const timeBytes = new Uint8Array(time.buffer)

function writeId(b: Uint8Array, at: number, tag: number, hex: string): number {
  b[at] = tag
  b[at + 1] = hex.length >> 1
  let p = at + 2
  for (let i = 0; i < hex.length; i += 8) {
    const word = wordOfHex(hex, i)
    b[p++] = word & 255
    b[p++] = (word >>> 8) & 255
    b[p++] = (word >>> 16) & 255
    b[p++] = word >>> 24
  }
  return p
}
