import type { AnyValue, Attributes } from './types.js'

/** Room for a length that is not known yet: four bytes hold 256 MiB, and readers accept varints longer than needed. */
const LENGTH_SIZE = 4

/** Code units of a text that is 127 bytes at most, whatever is in it. */
const SHORT = 42

/** Deeper values are written as unset: readers bound their recursion as well. */
const MAX_DEPTH = 64

/** Writes protobuf into memory that grows with it, and is used again for the next message. */
export class MessageWriter {
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
    if (value.length <= SHORT) {
      this.shortText(tag, value)
      return
    }
    const size = Buffer.byteLength(value)
    this.varint(tag, size)
    this.reserve(size)
    this.pos += this.bytes.write(value, this.pos, 'utf8')
  }

  /** Its length takes one byte, whatever is in it: no need to count first. */
  private shortText(tag: number, value: string): void {
    this.reserve(2 + 3 * SHORT)
    const { bytes } = this
    const start = this.pos + 2
    let p = start
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 128) {
        p += bytes.write(value.substring(i), p, 'utf8')
        break
      }
      bytes[p++] = unit
    }
    bytes[this.pos] = tag
    bytes[this.pos + 1] = p - start
    this.pos = p
  }

  /** @param digits Hexadecimal ones. */
  hex(tag: number, digits: string): void {
    const size = digits.length >> 1
    this.varint(tag, size)
    this.reserve(size)
    this.pos += this.bytes.write(digits, this.pos, size, 'hex')
  }

  raw(tag: number, value: Uint8Array): void {
    this.varint(tag, value.length)
    this.reserve(value.length)
    this.bytes.set(value, this.pos)
    this.pos += value.length
  }

  /** `KeyValue` fields. */
  attributes(tag: number, attributes: Attributes, depth = 0): void {
    for (const key of Object.keys(attributes)) {
      const start = this.open(tag)
      this.text(0x0a, key)
      this.anyValue(0x12, attributes[key]!, depth)
      this.close(start)
    }
  }

  /** Numbers are written as `int_value` where they are safe integers, else as `double_value`. */
  anyValue(tag: number, value: AnyValue, depth = 0): void {
    const start = this.open(tag)
    if (typeof value === 'string') this.text(0x0a, value)
    else if (typeof value === 'boolean') this.varint(0x10, value ? 1 : 0)
    else if (typeof value === 'bigint') this.int64(0x18, value)
    else if (typeof value === 'number') this.number(value)
    else if (value instanceof Uint8Array) this.raw(0x3a, value)
    else if (value !== null && depth < MAX_DEPTH) {
      const list = this.open(Array.isArray(value) ? 0x2a : 0x32)
      if (Array.isArray(value)) for (const element of value) this.anyValue(0x0a, element, depth + 1)
      else this.attributes(0x0a, value, depth + 1)
      this.close(list)
    }
    this.close(start)
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.double(0x21, value)
    else if (value >= 0 && value <= 0xffffffff) this.varint(0x18, value)
    else this.int64(0x18, BigInt(value))
  }
}
