import {
  attributes,
  emptyResource,
  emptyScope,
  emptySpan,
  readKeyValue,
  readResource,
  readScope,
} from './decode-common.js'
import { fields, ProtobufReader } from './protobuf.js'
import type {
  ResourceSpans,
  ScopeSpans,
  Span,
  SpanEvent,
  SpanKind,
  SpanLink,
  StatusCode,
  TraceRequest,
} from './types.js'

const REQUEST = fields(1)
const GROUP = fields(1, 2, 3)
const SPAN = fields(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const EVENT = fields(1, 2, 3, 4)
const LINK = fields(1, 2, 3, 4, 5, 6)
const STATUS = fields(2, 3)

/**
 * Decodes an `ExportTraceServiceRequest` (the same bytes are a `TracesData`) of opentelemetry-proto 1.x. Unknown fields
 * are passed over; a kind or status code that is not known counts as 0.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` when the bytes are truncated, a known field has a wrong wire type, or an
 * attribute is nested too deeply.
 */
export function decodeTraces(bytes: Uint8Array): TraceRequest {
  const reader = new ProtobufReader(bytes)
  const resourceSpans: ResourceSpans[] = []
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) resourceSpans.push(readResourceSpans(reader))
    else reader.skip(tag, REQUEST)
  }
  return { resourceSpans }
}

/**
 * Decodes the bytes of one `opentelemetry.proto.trace.v1.Span` message, without tag and length.
 * @throws OtlpError as `decodeTraces` does.
 */
export function decodeSpan(bytes: Uint8Array, start = 0, end = bytes.byteLength): Span {
  return readSpan(new ProtobufReader(bytes, start, end))
}

function readResourceSpans(reader: ProtobufReader): ResourceSpans {
  const group: ResourceSpans = { resource: emptyResource(), scopeSpans: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readResource(reader, group.resource)
    else if (tag === 0x12) group.scopeSpans.push(readScopeSpans(reader))
    else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readScopeSpans(reader: ProtobufReader): ScopeSpans {
  const group: ScopeSpans = { scope: emptyScope(), spans: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readScope(reader, group.scope)
    else if (tag === 0x12) {
      const end = reader.enter()
      group.spans.push(readSpan(reader))
      reader.leave(end)
    } else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readSpan(reader: ProtobufReader): Span {
  const span = emptySpan()
  while (reader.pos < reader.end) readSpanField(reader, reader.tag(), span)
  return span
}

function readSpanField(reader: ProtobufReader, tag: number, span: Span): void {
  switch (tag) {
    case 0x0a:
      span.traceId = reader.hex()
      break
    case 0x12:
      span.spanId = reader.hex()
      break
    case 0x1a:
      span.traceState = reader.string()
      break
    case 0x22:
      span.parentSpanId = reader.hex()
      break
    case 0x2a:
      span.name = reader.string()
      break
    case 0x30:
      span.kind = spanKind(reader.uint32())
      break
    case 0x39:
      span.startTimeUnixNano = reader.bigFixed64()
      break
    case 0x41:
      span.endTimeUnixNano = reader.bigFixed64()
      break
    case 0x4a:
      readKeyValue(reader, span.attributes)
      break
    case 0x50:
      span.droppedAttributesCount = reader.uint32()
      break
    case 0x5a:
      span.events.push(readEvent(reader))
      break
    case 0x60:
      span.droppedEventsCount = reader.uint32()
      break
    case 0x6a:
      span.links.push(readLink(reader))
      break
    case 0x70:
      span.droppedLinksCount = reader.uint32()
      break
    case 0x7a:
      readStatus(reader, span.status)
      break
    case 0x85:
      span.flags = reader.fixed32()
      break
    default:
      reader.skip(tag, SPAN)
  }
}

function readEvent(reader: ProtobufReader): SpanEvent {
  const event: SpanEvent = { timeUnixNano: 0n, name: '', attributes: attributes(), droppedAttributesCount: 0 }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x09) event.timeUnixNano = reader.bigFixed64()
    else if (tag === 0x12) event.name = reader.string()
    else if (tag === 0x1a) readKeyValue(reader, event.attributes)
    else if (tag === 0x20) event.droppedAttributesCount = reader.uint32()
    else reader.skip(tag, EVENT)
  }
  reader.leave(outer)
  return event
}

function readLink(reader: ProtobufReader): SpanLink {
  const link: SpanLink = {
    traceId: '',
    spanId: '',
    traceState: '',
    attributes: attributes(),
    droppedAttributesCount: 0,
    flags: 0,
  }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) link.traceId = reader.hex()
    else if (tag === 0x12) link.spanId = reader.hex()
    else if (tag === 0x1a) link.traceState = reader.string()
    else if (tag === 0x22) readKeyValue(reader, link.attributes)
    else if (tag === 0x28) link.droppedAttributesCount = reader.uint32()
    else if (tag === 0x35) link.flags = reader.fixed32()
    else reader.skip(tag, LINK)
  }
  reader.leave(outer)
  return link
}

function readStatus(reader: ProtobufReader, status: Span['status']): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x12) status.message = reader.string()
    else if (tag === 0x18) status.code = statusCode(reader.uint32())
    else reader.skip(tag, STATUS)
  }
  reader.leave(outer)
}

/** `SpanKind` of a number from the wire; one that opentelemetry-proto 1.x does not know is unspecified. */
export function spanKind(value: number): SpanKind {
  return value <= 5 ? (value as SpanKind) : 0
}

/** `StatusCode` of a number from the wire; one that opentelemetry-proto 1.x does not know is unset. */
export function statusCode(value: number): StatusCode {
  return value <= 2 ? (value as StatusCode) : 0
}
