import { hashesOf } from '../store/signatures.js'

/** The forms that a word can have on the wire: text, and for a number `int_value` and `double_value`. */
export function needlesOf(word: string): Needle[] {
  const forms = [new Needle(Buffer.from(word))]
  const number = Number(word)
  if (!/^-?\d+(\.\d+)?$/.test(word) || !Number.isFinite(number)) return forms
  const double = Buffer.alloc(9, 0x21)
  double.writeDoubleLE(number, 1)
  forms.push(new Needle(double))
  if (!word.includes('.')) {
    const varint = [0x18]
    let rest = BigInt.asUintN(64, BigInt(word))
    for (; rest > 127n; rest >>= 7n) varint.push(Number(rest & 127n) | 128)
    varint.push(Number(rest))
    forms.push(new Needle(Buffer.from(varint)))
  }
  return forms
}

/** The forms that a whole text can have on the wire: behind its length, whose last byte is 0 where it is longer than it has to be. */
export function textNeedles(text: string): Needle[] {
  const bytes = Buffer.from(text)
  if (bytes.length > 127) return [new Needle(bytes)]
  return [bytes.length, 0].map((length) => new Needle(Buffer.from([length, ...bytes])))
}

/** The forms that a number can have on the wire as the value of an attribute; `written` is how it was asked for. */
export function numberNeedles(number: number, written: string): Needle[] {
  const forms = textNeedles(written)
  // Of doubles, 0 is -0 as well.
  for (const value of number === 0 ? [0, -0] : [number]) {
    const double = Buffer.alloc(8)
    double.writeDoubleLE(value)
    forms.push(new Needle(double))
  }
  // Beyond 2 ** 53 an integer is compared as it is written.
  const isExact = /^-?\d+$/.test(written)
  if (!isExact && !Number.isSafeInteger(number)) return forms
  const varint: number[] = []
  let rest = BigInt.asUintN(64, BigInt(isExact ? written : number))
  for (; rest > 127n && varint.length < 9; rest >>= 7n) varint.push(Number(rest & 127n) | 128)
  const last = Number(rest & 127n)
  // Tags and numbers may be longer than they have to be.
  const ends = varint.length === 9 ? [[]] : [[last], [last | 128]]
  for (const tag of [0x18, 0])
    for (const end of ends) forms.push(new Needle(Buffer.from([tag, ...varint, ...end])))
  return forms
}

/** Horspool's search for bytes; ASCII letters match in either case. Numbers thereby match too much, never too little. */
export class Needle {
  readonly #bytes: Buffer
  readonly #shift: Uint16Array
  /** Of its bytes, for `Signatures`. */
  readonly hashes: Uint16Array

  constructor(word: Buffer) {
    this.#bytes = Buffer.from(word.map(fold))
    this.hashes = hashesOf(word)
    const { length } = word
    this.#shift = new Uint16Array(256).fill(length)
    for (let i = 0; i < length - 1; i++) {
      const byte = this.#bytes[i]!
      this.#shift[byte] = length - 1 - i
      if (byte >= 97 && byte <= 122) this.#shift[byte - 32] = length - 1 - i
    }
  }

  in(bytes: Buffer, start: number, end: number): boolean {
    const word = this.#bytes
    const last = word.length - 1
    for (let at = start + last; at < end; at += this.#shift[bytes[at]!]!) {
      let i = last
      while (i >= 0 && fold(bytes[at - last + i]!) === word[i]) i--
      if (i < 0) return true
    }
    return false
  }
}

function fold(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte
}
