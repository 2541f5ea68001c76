import { OtlpError } from './errors.js'

const TWO_32 = 4294967296

/** Deepest nesting of groups that `skip` follows; protobuf's own implementations stop at 100 messages. */
const MAX_GROUP_DEPTH = 32

/** The bit set of field numbers (1 to 31) that `ProtobufReader.skip` takes: those its caller understands. */
export function fields(...numbers: number[]): number {
  let set = 0
  for (const number of numbers) set |= 1 << number
  return set
}

/**
 * Reads one protobuf message (https://protobuf.dev/programming-guides/encoding/) from front to back without
 * copying. Every read is checked against the end of the message it belongs to, so no input reads outside its bounds.
 * Varints may be longer than they need to be, up to the ten bytes that the encoding allows.
 *
 * Every method throws `OtlpError` (`THREADSPAN_OTLP_MALFORMED`) where the bytes are truncated or not protobuf.
 */
export class ProtobufReader {
  readonly bytes: Buffer
  /** Offset of the next byte to read. */
  pos: number
  /** End of the message being read: the whole input, or what `enter` set. */
  end: number
  /** The two halves of what `varint64` and `fixed64` read last, unsigned. */
  low = 0
  high = 0
  /** Most embedded messages in the input: two bytes of it can become an object of two hundred. */
  maxMessages = 2_000_000
  readonly #view: DataView
  #messages = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.pos = start
    this.end = end
  }

  /** The next tag: field number times 8 plus wire type. Only to be called while `pos < end`. */
  tag(): number {
    const tag = this.uint32()
    if (tag < 8) throw new OtlpError(`field number 0 at byte ${this.pos}`)
    return tag
  }

  /** A varint cut to 32 bits, unsigned: `uint32`, `bool`, enum values and lengths. */
  uint32(): number {
    const { bytes, pos } = this
    if (pos < this.end) {
      const first = bytes[pos]!
      if (first < 128) {
        this.pos = pos + 1
        return first
      }
    }
    this.varint64()
    return this.low
  }

  /** A ZigZag varint: `sint32`. */
  sint32(): number {
    const value = this.uint32()
    return (value >>> 1) ^ -(value & 1)
  }

  /** A varint of up to 64 bits into `low` and `high`. */
  varint64(): void {
    const { bytes, end } = this
    const start = this.pos
    let pos = start
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (pos >= end) throw new OtlpError(`truncated varint at byte ${start}`)
      if (shift > 63) throw new OtlpError(`varint of more than ten bytes at byte ${start}`)
      const byte = bytes[pos++]!
      const bits = byte & 127
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else if (shift < 63) high |= bits << (shift - 32)
      else high |= (bits & 1) << 31
      if (byte < 128) break
    }
    this.pos = pos
    this.low = low >>> 0
    this.high = high >>> 0
  }

  /** `int64` as a varint: a number where it is safe, else a bigint. */
  int64(): number | bigint {
    this.varint64()
    return this.#signed()
  }

  /** `uint64` as a varint: a number, rounded beyond 2^53. */
  uint64(): number {
    this.varint64()
    return this.high * TWO_32 + this.low
  }

  /** Eight bytes into `low` and `high`: `fixed64`. */
  fixed64(): void {
    const at = this.#advance(8)
    this.low = this.#view.getUint32(at, true)
    this.high = this.#view.getUint32(at + 4, true)
  }

  /** `fixed64` as a bigint, unsigned. */
  bigFixed64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true)
  }

  /** `fixed64` as a number, rounded beyond 2^53. */
  numberFixed64(): number {
    this.fixed64()
    return this.high * TWO_32 + this.low
  }

  /** `sfixed64`: a number where it is safe, else a bigint. */
  sfixed64(): number | bigint {
    this.fixed64()
    return this.#signed()
  }

  fixed32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  /** UTF-8 text; bytes that are not UTF-8 become U+FFFD. */
  string(): string {
    const length = this.#length()
    const start = this.pos
    this.pos = start + length
    return length === 0 ? '' : this.bytes.toString('utf8', start, this.pos)
  }

  /** Bytes as lower-case hexadecimal digits. */
  hex(): string {
    const length = this.#length()
    const start = this.pos
    this.pos = start + length
    return length === 0 ? '' : this.bytes.toString('hex', start, this.pos)
  }

  /** A copy of the bytes, so that a kept value does not keep the whole input. */
  copy(): Uint8Array {
    const length = this.#length()
    const start = this.pos
    this.pos = start + length
    return new Uint8Array(this.bytes.subarray(start, this.pos))
  }

  /** Enters an embedded message: `end` becomes its end. Answers the outer end, for `leave`. */
  enter(): number {
    const length = this.#length()
    if (++this.#messages > this.maxMessages)
      throw new OtlpError(`more than ${this.maxMessages} messages in one`)
    const outer = this.end
    this.end = this.pos + length
    return outer
  }

  /** Leaves the embedded message that was entered last, past whatever was not read of it. */
  leave(outer: number): void {
    this.pos = this.end
    this.end = outer
  }

  /**
   * Passes over the value of `tag`. A field that is among `known` got here because its wire type is not the one it
   * must have, and that is an error: silently dropping it would show wrong data as right.
   */
  skip(tag: number, known = 0): void {
    const number = tag >>> 3
    if (number < 32 && (known & (1 << number)) !== 0) {
      throw new OtlpError(`wire type ${tag & 7} in field ${number} at byte ${this.pos}`)
    }
    this.#skip(tag, 0)
  }

  #skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.varint64()
        return
      case 1:
        this.#advance(8)
        return
      case 2: {
        const length = this.#length()
        this.pos += length
        return
      }
      case 3:
        if (depth === MAX_GROUP_DEPTH) throw new OtlpError(`groups nested deeper than ${MAX_GROUP_DEPTH}`)
        for (;;) {
          if (this.pos >= this.end) throw new OtlpError('truncated group')
          const inner = this.tag()
          if ((inner & 7) === 4) {
            if (inner >>> 3 !== tag >>> 3) throw new OtlpError(`unmatched end of group at byte ${this.pos}`)
            return
          }
          this.#skip(inner, depth + 1)
        }
      case 5:
        this.#advance(4)
        return
      default:
        throw new OtlpError(`wire type ${tag & 7} at byte ${this.pos}`)
    }
  }

  /** The length prefix of a string, of bytes or of a message, which must fit what is left. */
  #length(): number {
    const length = this.uint32()
    if (length > this.end - this.pos) {
      throw new OtlpError(`length ${length} at byte ${this.pos}, but ${this.end - this.pos} bytes are left`)
    }
    return length
  }

  #advance(size: number): number {
    const at = this.pos
    if (size > this.end - at) throw new OtlpError(`truncated value at byte ${at}`)
    this.pos = at + size
    return at
  }

  #signed(): number | bigint {
    const high = this.high | 0
    const value = high * TWO_32 + this.low
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(this.low)
  }
}
