/**
 * Trace and span ids as 32-bit words. Words are what the encoder writes and what children copy from their parent; the
 * hexadecimal form is made only when somebody asks for it.
 *
 * A word holds four id bytes in memory order: its lowest byte is the first byte of the id.
 */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A random 32-bit word. `Math.random` is xorshift128+ seeded per thread from the system's entropy: uniform, as Trace
 * Context Level 2 asks of the `random-trace-id` flag, and it does not load `node:crypto`, which costs a new thread 4 ms.
 * Ids are not secrets.
 */
export function randomWord(): number {
  return (Math.random() * 4294967296) | 0
}

/** Eight hexadecimal digits for a word. */
export function hexOfWord(word: number): string {
  return HEX[word & 255]! + HEX[(word >>> 8) & 255]! + HEX[(word >>> 16) & 255]! + HEX[word >>> 24]!
}

/** The word at `offset` of a string of hexadecimal digits; the digits must have been validated. */
export function wordOfHex(hex: string, offset: number): number {
  const big = Number.parseInt(hex.substring(offset, offset + 8), 16)
  return ((big & 255) << 24) | ((big & 0xff00) << 8) | ((big >>> 8) & 0xff00) | (big >>> 24)
}

/** A trace: its id, and what all its local spans share by reference. */
export class TraceIdentity {
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  #hex: string | undefined

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0
    this.w1 = w1
    this.w2 = w2
    this.w3 = w3
  }

  /** A new random trace id; never all zeros. */
  static random(): TraceIdentity {
    return new TraceIdentity(randomWord(), randomWord(), randomWord(), randomWord() || 1)
  }

  /** From 32 validated lower-case hexadecimal digits. */
  static fromHex(hex: string): TraceIdentity {
    const identity = new TraceIdentity(
      wordOfHex(hex, 0),
      wordOfHex(hex, 8),
      wordOfHex(hex, 16),
      wordOfHex(hex, 24),
    )
    identity.#hex = hex
    return identity
  }

  /** 32 lower-case hexadecimal digits. */
  get hex(): string {
    this.#hex ??= hexOfWord(this.w0) + hexOfWord(this.w1) + hexOfWord(this.w2) + hexOfWord(this.w3)
    return this.#hex
  }
}
