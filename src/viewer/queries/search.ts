import type { AnyValue, Span } from '../../otlp/types.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'

/**
 * Finds words in spans: in the encoded bytes first, which is fast and finds too much, then in the decoded span. Upper
 * and lower case of ASCII letters are the same. Text is found by its parts, a number as a whole.
 */
export class Search {
  readonly #words: string[]
  readonly #needles: Needle[][]

  constructor(search: string) {
    this.#words = lower(search)
      .split(/\s+/)
      .filter((word) => word !== '')
    // Booleans are not text on the wire: words that may be part of one are looked for decoded only.
    this.#needles = this.#words.filter((word) => !'true false'.includes(word)).map(needles)
  }

  /** Whether one span of the trace has all the words in its name, attributes, events or status. */
  matches(store: Store, trace: Trace): boolean {
    for (const row of store.rows(trace)) {
      const { bytes, start, end } = store.encoded(row)
      if (
        this.#needles.every((forms) => forms.some((needle) => needle.in(bytes, start, end))) &&
        this.#inSpan(store.decode(row))
      )
        return true
    }
    return false
  }

  #inSpan(span: Span): boolean {
    const text: string[] = [span.name, span.status.message]
    collect(span.attributes, text)
    for (const event of span.events) {
      text.push(event.name)
      collect(event.attributes, text)
    }
    const all = lower(text.join('\n'))
    return this.#words.every((word) => all.includes(word))
  }
}

/** The forms that a word can have on the wire: text, and for a number `int_value` and `double_value`. */
function needles(word: string): Needle[] {
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

function collect(value: AnyValue, into: string[]): void {
  if (value === null || value instanceof Uint8Array) return
  if (Array.isArray(value)) for (const element of value) collect(element, into)
  else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      into.push(key)
      collect(inner, into)
    }
  } else into.push(String(value))
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** Horspool's search for bytes; ASCII letters match in either case. Numbers thereby match too much, never too little. */
class Needle {
  readonly #bytes: Buffer
  readonly #shift: Uint16Array

  constructor(word: Buffer) {
    this.#bytes = Buffer.from(word.map(fold))
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
