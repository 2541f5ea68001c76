import { OtlpError } from './errors.js'
import { fields, ProtobufReader } from './protobuf.js'
import type { AnyValue, Attributes, Resource, Scope, Span } from './types.js'

/** Deepest nesting of arrays and maps in one attribute; a sender that goes deeper sends malformed data. */
export const MAX_DEPTH = 64

const ANY_VALUE = fields(1, 2, 3, 4, 5, 6, 7)
const LIST = fields(1)
const KEY_VALUE = fields(1, 2)
const RESOURCE = fields(1, 2)
const SCOPE = fields(1, 2, 3, 4)

/** An attribute map without a prototype, so that no key of a sender reaches `Object.prototype`. */
export function attributes(): Attributes {
  return Object.create(null) as Attributes
}

/** A Resource in which nothing is set. */
export function emptyResource(): Resource {
  return { attributes: attributes(), droppedAttributesCount: 0 }
}

/** An InstrumentationScope in which nothing is set. */
export function emptyScope(): Scope {
  return { name: '', version: '', attributes: attributes(), droppedAttributesCount: 0 }
}

/** A span in which nothing but its ids is set. */
export function emptySpan(traceId = '', spanId = ''): Span {
  return {
    traceId,
    spanId,
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes: attributes(),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
  }
}

/**
 * `opentelemetry.proto.common.v1.AnyValue`, length-delimited. Of several values the last one counts.
 * @throws OtlpError
 */
export function readAnyValue(reader: ProtobufReader, depth = 0): AnyValue {
  if (depth > MAX_DEPTH) throw new OtlpError(`attribute values nested deeper than ${MAX_DEPTH}`)
  let value: AnyValue = null
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        value = reader.string()
        break
      case 0x10:
        reader.varint64()
        value = reader.low !== 0 || reader.high !== 0
        break
      case 0x18:
        value = reader.int64()
        break
      case 0x21:
        value = reader.double()
        break
      case 0x2a:
        value = readArray(reader, depth + 1)
        break
      case 0x32: {
        const map = attributes()
        readList(reader, map, depth + 1)
        value = map
        break
      }
      case 0x3a:
        value = reader.copy()
        break
      default:
        reader.skip(tag, ANY_VALUE)
    }
  }
  reader.leave(outer)
  return value
}

function readArray(reader: ProtobufReader, depth: number): AnyValue[] {
  const values: AnyValue[] = []
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) values.push(readAnyValue(reader, depth))
    else reader.skip(tag, LIST)
  }
  reader.leave(outer)
  return values
}

function readList(reader: ProtobufReader, into: Attributes, depth: number): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readKeyValue(reader, into, depth)
    else reader.skip(tag, LIST)
  }
  reader.leave(outer)
}

/**
 * `opentelemetry.proto.common.v1.KeyValue`, length-delimited, put into `into`. A key that comes twice keeps its last
 * value (the specification forbids it and leaves the outcome open).
 * @throws OtlpError
 */
export function readKeyValue(reader: ProtobufReader, into: Attributes, depth = 0): void {
  let key = ''
  let value: AnyValue = null
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) key = reader.string()
    else if (tag === 0x12) value = readAnyValue(reader, depth)
    else reader.skip(tag, KEY_VALUE)
  }
  reader.leave(outer)
  into[key] = value
}

/** The attributes of bytes that are a `Resource` message, or nothing but `KeyValue` fields with tag 0a. What is malformed ends them. */
export function attributesIn(bytes: Uint8Array): Attributes {
  const into = attributes()
  const reader = new ProtobufReader(bytes)
  try {
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) readKeyValue(reader, into)
      else reader.skip(tag, RESOURCE)
    }
  } catch {
    // Written by none of ours.
  }
  return into
}

/**
 * `opentelemetry.proto.resource.v1.Resource`, length-delimited, merged into `into`.
 * @throws OtlpError
 */
export function readResource(reader: ProtobufReader, into: Resource): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readKeyValue(reader, into.attributes)
    else if (tag === 0x10) into.droppedAttributesCount = reader.uint32()
    else reader.skip(tag, RESOURCE)
  }
  reader.leave(outer)
}

/**
 * `opentelemetry.proto.common.v1.InstrumentationScope`, length-delimited, merged into `into`.
 * @throws OtlpError
 */
export function readScope(reader: ProtobufReader, into: Scope): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        into.name = reader.string()
        break
      case 0x12:
        into.version = reader.string()
        break
      case 0x1a:
        readKeyValue(reader, into.attributes)
        break
      case 0x20:
        into.droppedAttributesCount = reader.uint32()
        break
      default:
        reader.skip(tag, SCOPE)
    }
  }
  reader.leave(outer)
}
