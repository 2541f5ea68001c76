/**
 * OTLP protobuf writing into memory that is already there. Every function writes at `p` and returns the position behind
 * what it wrote, or -1 when it might not fit before `limit`; the caller then takes the slow path with an exact size.
 *
 * Lengths that are not known in advance get a varint of fixed width, filled up with continuation bits. Protocol Buffers
 * parsers must accept such encodings, and nothing has to be moved afterwards.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api'

/** Strings at least this long go through the engine's own UTF-8 writer; shorter ones are faster by hand. */
const NATIVE_STRING = 64

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)

/** Bytes that a length of at most `bound` needs as a varint. */
function widthFor(bound: number): number {
  if (bound < 128) return 1
  if (bound < 16384) return 2
  if (bound < 2097152) return 3
  return 5
}

/** Writes `value` as a varint of exactly `width` bytes. */
function writeFixedVarint(b: Uint8Array, p: number, value: number, width: number): void {
  let rest = value
  for (let i = 1; i < width; i++) {
    b[p++] = (rest & 127) | 128
    rest >>>= 7
  }
  b[p] = rest
}

/** Writes a non-negative safe integer as a varint of minimal width. */
export function writeVarint(b: Uint8Array, at: number, value: number): number {
  let p = at
  let rest = value
  while (rest > 0x7fffffff) {
    b[p++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  while (rest > 127) {
    b[p++] = (rest & 127) | 128
    rest >>>= 7
  }
  b[p++] = rest
  return p
}

/** UTF-8 bytes of `s` at `at`; the caller has made sure of three bytes for each code unit. Lone surrogates become U+FFFD. */
function writeUtf8(b: Buffer, at: number, s: string): number {
  const length = s.length
  if (length >= NATIVE_STRING) return at + b.write(s, at, 'utf8')
  let p = at
  for (let i = 0; i < length; i++) {
    const c = s.charCodeAt(i)
    if (c >= 128) return p + b.write(s.substring(i), p, 'utf8')
    b[p++] = c
  }
  return p
}

/** A length-delimited string field with a one-byte tag. */
export function writeString(b: Buffer, at: number, limit: number, tag: number, s: string): number {
  const bound = 3 * s.length
  if (at + bound + 6 > limit) return -1
  const width = widthFor(bound)
  b[at] = tag
  const start = at + 1 + width
  const end = writeUtf8(b, start, s)
  if (width === 1) b[at + 1] = end - start
  else writeFixedVarint(b, at + 1, end - start, width)
  return end
}

/** An `AnyValue`'s field (not its own tag and length). */
function writeAnyValue(
  b: Buffer,
  at: number,
  limit: number,
  value: AttributeValue | null | undefined,
): number {
  switch (typeof value) {
    case 'string':
      return writeString(b, at, limit, 0x0a, value)
    case 'number':
      return writeNumber(b, at, limit, value)
    case 'boolean':
      if (at + 2 > limit) return -1
      b[at] = 0x10
      b[at + 1] = value ? 1 : 0
      return at + 2
    default:
      return Array.isArray(value) ? writeArray(b, at, limit, value) : at
  }
}

function writeNumber(b: Buffer, at: number, limit: number, value: number): number {
  if (at + 11 > limit) return -1
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    b[at] = 0x18
    return value >= 0 ? writeVarint(b, at + 1, value) : writeNegative(b, at + 1, value)
  }
  b[at] = 0x21
  float[0] = value
  for (let i = 0; i < 8; i++) b[at + 1 + i] = floatBytes[i]!
  return at + 9
}

/** A negative int64 takes ten bytes as a varint. */
function writeNegative(b: Uint8Array, at: number, value: number): number {
  let rest = BigInt.asUintN(64, BigInt(value))
  for (let i = 0; i < 9; i++) {
    b[at + i] = Number(rest & 127n) | 128
    rest >>= 7n
  }
  b[at + 9] = Number(rest)
  return at + 10
}

function writeArray(b: Buffer, at: number, limit: number, values: readonly unknown[]): number {
  let bound = 0
  for (const value of values) bound += 24 + (typeof value === 'string' ? 3 * value.length : 0)
  if (at + bound + 6 > limit) return -1
  const width = widthFor(bound)
  b[at] = 0x2a
  let p = at + 1 + width
  for (const value of values) {
    const itemWidth = widthFor(typeof value === 'string' ? 3 * value.length + 6 : 11)
    b[p] = 0x0a
    const start = p + 1 + itemWidth
    const end = writeAnyValue(b, start, limit, value as AttributeValue)
    writeFixedVarint(b, p + 1, end - start, itemWidth)
    p = end
  }
  writeFixedVarint(b, at + 1, p - at - 1 - width, width)
  return p
}

/** Upper bound of an attribute value's `AnyValue`, in bytes. */
function boundOfValue(value: AttributeValue | undefined): number {
  if (typeof value === 'string') return 3 * value.length + 6
  if (!Array.isArray(value)) return 11
  let bound = 6
  for (const item of value) bound += 24 + (typeof item === 'string' ? 3 * item.length : 0)
  return bound
}

/** Upper bound of one attribute as a `KeyValue` field, in bytes. */
export function boundOfAttribute(key: string, value: AttributeValue | undefined): number {
  return 3 * key.length + boundOfValue(value) + 20
}

/** Upper bound of all of an object's attributes. */
export function boundOfAttributes(attributes: Attributes | undefined): number {
  let bound = 0
  if (attributes !== undefined) for (const key in attributes) bound += boundOfAttribute(key, attributes[key])
  return bound
}

/** One `KeyValue` under the one-byte `tag` of an attributes field. */
export function writeAttribute(
  b: Buffer,
  at: number,
  limit: number,
  tag: number,
  key: string,
  value: AttributeValue | undefined,
): number {
  const valueBound = boundOfValue(value)
  const bound = 3 * key.length + valueBound + 12
  if (at + bound + 6 > limit) return -1
  const width = widthFor(bound)
  b[at] = tag
  const start = at + 1 + width
  let p = writeString(b, start, limit, 0x0a, key)
  b[p] = 0x12
  const valueWidth = widthFor(valueBound)
  const valueStart = p + 1 + valueWidth
  const end = writeAnyValue(b, valueStart, limit, value)
  if (valueWidth === 1) b[p + 1] = end - valueStart
  else writeFixedVarint(b, p + 1, end - valueStart, valueWidth)
  p = end
  if (width === 1) b[at + 1] = p - start
  else writeFixedVarint(b, at + 1, p - start, width)
  return p
}

/** A nested message under a one-byte `tag`: `begin` leaves room for its length, `finish` fills it in. */
export function beginMessage(b: Uint8Array, at: number, tag: number): number {
  b[at] = tag
  return at + 5
}

export function finishMessage(b: Uint8Array, start: number, end: number): number {
  writeFixedVarint(b, start - 4, end - start, 4)
  return end
}

/**
 * Concludes a span with its `dropped_attributes_count`, in as many bytes as bring the record to a multiple of 4: records
 * stay aligned for word access. A count of zero is the field's default and is left out where nothing has to be filled.
 */
export function writeDroppedAndAlign(b: Uint8Array, at: number, dropped: number): number {
  if (dropped === 0 && (at & 3) === 0) return at
  const least = dropped === 0 ? 2 : 6
  const size = least + ((4 - ((at + least) & 3)) & 3)
  b[at] = 0x50
  writeFixedVarint(b, at + 1, dropped, size - 1)
  return at + size
}

/** The most that `writeDroppedAndAlign` takes, in bytes. */
export const ALIGN_BOUND = 10
