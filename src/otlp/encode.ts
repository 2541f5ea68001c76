import type { AnyValue } from './types.js'

/**
 * OTLP messages to protobuf bytes: the small, rare ones (Resource, InstrumentationScope) that frame the spans.
 * Spans themselves are encoded by the recorder where they end. Field numbers are those of opentelemetry-proto 1.x
 * (`common.proto`, `resource.proto`); wire types those of https://protobuf.dev/programming-guides/encoding/.
 */

/** What attributes may be given as: undefined entries are left out, anything a protobuf `AnyValue` lacks becomes a string. */
export interface AttributeSource {
  readonly [key: string]: AnyValue | undefined
}

/** Deeper values are cut off and sent as an unset value: receivers bound their recursion as well. */
const MAX_DEPTH = 32

const utf8 = new TextEncoder()

/** The number of bytes that `value`, an integer of 0 to 2^53 - 1, takes as a varint. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes `value`, an integer of 0 to 2^53 - 1, as a varint at `offset` and returns the offset after it. */
export function putVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value
  let at = offset
  // Shifts would cut to 32 bits.
  while (rest >= 0x80) {
    target[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  target[at++] = rest
  return at
}

/** Lays parts end to end. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

/** One length-delimited field: tag (its single byte, e.g. 0x0a for field 1), length, content. */
export function lengthDelimited(tag: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + varintSize(content.length) + content.length)
  bytes[0] = tag
  bytes.set(content, putVarint(bytes, 1, content.length))
  return bytes
}

/** A string field; a lone surrogate becomes U+FFFD, so that the result is always valid UTF-8. */
export function text(tag: number, value: string): Uint8Array {
  return lengthDelimited(tag, utf8.encode(value))
}

function int64(tag: number, value: bigint): Uint8Array {
  const bytes = [tag]
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

/** A `double` field. */
export function double(tag: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = tag
  new DataView(bytes.buffer).setFloat64(1, value, true)
  return bytes
}

function encodeAnyValue(value: unknown, depth: number): Uint8Array {
  switch (typeof value) {
    case 'string':
      return text(0x0a, value)
    case 'boolean':
      return Uint8Array.of(0x10, value ? 1 : 0)
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? int64(0x18, BigInt(value))
        : double(0x21, value)
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? int64(0x18, value) : text(0x0a, String(value))
    case 'object':
      return value === null || depth > MAX_DEPTH ? new Uint8Array(0) : encodeObject(value, depth)
    default:
      return new Uint8Array(0)
  }
}

function encodeObject(value: object, depth: number): Uint8Array {
  if (value instanceof Uint8Array) return lengthDelimited(0x3a, value)
  if (Array.isArray(value)) {
    const items = value.map((item) => lengthDelimited(0x0a, encodeAnyValue(item, depth + 1)))
    return lengthDelimited(0x2a, concat(items))
  }
  return lengthDelimited(0x32, encodeKeyValues(0x0a, value as AttributeSource, depth + 1))
}

/** A `repeated KeyValue` field. @param depth of the values: 0 for attributes. */
export function encodeKeyValues(tag: number, attributes: AttributeSource, depth: number): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    const pair = [text(0x0a, key), lengthDelimited(0x12, encodeAnyValue(value, depth))]
    parts.push(lengthDelimited(tag, concat(pair)))
  }
  return concat(parts)
}

/** A `uint32` field; nothing for 0, its default. */
export function count(tag: number, value: number): Uint8Array {
  if (value === 0) return new Uint8Array(0)
  const bytes = new Uint8Array(1 + varintSize(value))
  bytes[0] = tag
  putVarint(bytes, 1, value)
  return bytes
}

/**
 * An encoded `opentelemetry.proto.resource.v1.Resource` message. Safe integers become `int_value`, other numbers
 * `double_value`, a bigint beyond 64 bits a string.
 * @param dropped how many attributes were left out by limits, 0 to 2^32 - 1
 */
export function encodeResource(attributes: AttributeSource, dropped = 0): Uint8Array {
  return concat([encodeKeyValues(0x0a, attributes, 0), count(0x10, dropped)])
}

/**
 * An encoded `opentelemetry.proto.common.v1.InstrumentationScope` message.
 * @param dropped how many attributes were left out by limits, 0 to 2^32 - 1
 */
export function encodeScope(
  name: string,
  version = '',
  attributes: AttributeSource = {},
  dropped = 0,
): Uint8Array {
  const parts: Uint8Array[] = []
  if (name !== '') parts.push(text(0x0a, name))
  if (version !== '') parts.push(text(0x12, version))
  parts.push(encodeKeyValues(0x1a, attributes, 0), count(0x20, dropped))
  return concat(parts)
}
