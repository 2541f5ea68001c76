const NEWLINE = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Begins each value of a JSON text sequence (RFC 7464). */
const RECORD_SEPARATOR = 0x1e

/**
 * Finds the objects in a stream of JSON, in whatever way they are set: one to a line, over many lines, one behind the other, or as the
 * elements of an array.
 *
 * What breaks off costs no more than itself: a line of text never holds the end of a line, and no JSON that is set over lines
 * has a brace in the first column but at its beginning and its end.
 */
export class JsonValues {
  #parts: Buffer[] = []
  #size = 0
  #depth = 0
  #isText = false
  #isEscaped = false
  /** The last byte was the end of a line. */
  #isFirst = true
  /** Passing over a line that is not JSON. */
  #isJunk = false

  /**
   * @param limit Most bytes of one object; a longer one is passed over.
   * @param take Takes each object.
   * @param bad Hears of each piece that is none.
   */
  constructor(
    private readonly limit: number,
    private readonly take: (value: Buffer) => void,
    private readonly bad: () => void,
  ) {}

  /** Takes the next bytes of the stream. */
  push(bytes: Buffer): void {
    /** Where the object that is open lies in these bytes. */
    let from = 0
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      const isFirst = this.#isFirst
      this.#isFirst = byte === NEWLINE
      if (this.#depth === 0) {
        if (this.#between(byte)) from = i
      } else if (byte === NEWLINE && this.#isText) this.#break()
      else if (isFirst && byte === OPEN_BRACE) {
        this.#break()
        this.#depth = 1
        from = i
      } else if (this.#closes(byte)) {
        this.#keep(bytes.subarray(from, i + 1))
        this.#finish()
      }
    }
    if (this.#depth > 0) this.#keep(bytes.subarray(from))
  }

  /** The stream has ended. */
  end(): void {
    if (this.#depth > 0) this.#break()
    else if (this.#isJunk) this.bad()
    this.#isJunk = false
  }

  /** Between objects. @returns whether one begins with this byte. */
  #between(byte: number): boolean {
    if (this.#isJunk) {
      if (byte !== NEWLINE) return false
      this.#isJunk = false
      this.bad()
    } else if (byte === OPEN_BRACE) {
      this.#depth = 1
      return true
    } else if (!isSpace(byte) && byte !== COMMA && byte !== OPEN_BRACKET && byte !== CLOSE_BRACKET) {
      this.#isJunk = true
    }
    return false
  }

  /** Inside of an object. @returns whether this byte is its last. */
  #closes(byte: number): boolean {
    if (this.#isText) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === BACKSLASH) this.#isEscaped = true
      else if (byte === QUOTE) this.#isText = false
      return false
    }
    if (byte === QUOTE) this.#isText = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return --this.#depth === 0
    return false
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.limit) this.#parts = []
    else this.#parts.push(part)
  }

  #finish(): void {
    if (this.#size > this.limit) this.bad()
    else this.take(this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#size))
    this.#clear()
  }

  #break(): void {
    this.bad()
    this.#clear()
  }

  #clear(): void {
    this.#parts = []
    this.#size = 0
    this.#depth = 0
    this.#isText = false
    this.#isEscaped = false
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09 || byte === RECORD_SEPARATOR
}
