/**
 * Trace and span ids as 32-bit words. Words are what the encoder writes and what children copy from their parent; the
 * hexadecimal form is made only when somebody asks for it.
 *
 * A word holds four id bytes in memory order: its lowest byte is the first byte of the id.
 */
import { entropy } from './entropy.js'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

// The state of xoshiro128++; four zeros, which it never reaches, until it is seeded.
let s0 = 0
let s1 = 0
let s2 = 0
let s3 = 0

function seed(): void {
  while ((s0 | s1 | s2 | s3) === 0) [s0, s1, s2, s3] = entropy()
}

/**
 * A random 32-bit word by xoshiro128++ (Blackman and Vigna, 2019), which each thread seeds from the system: uniform, as Trace Context
 * Level 2 asks of the `random-trace-id` flag. Ids are not secrets.
 *
 * Not by `Math.random`, which tests replace, `--random-seed` makes the same in every process, and whose sequence belongs to the program;
 * nor by `node:crypto`, whose loading costs a new thread 4 ms.
 */
export function randomWord(): number {
  if ((s0 | s1 | s2 | s3) === 0) seed()
  const sum = (s0 + s3) | 0
  const word = (((sum << 7) | (sum >>> 25)) + s0) | 0
  const shifted = s1 << 9
  s2 ^= s0
  s3 ^= s1
  s1 ^= s2
  s0 ^= s3
  s2 ^= shifted
  s3 = (s3 << 11) | (s3 >>> 21)
  return word
}

/** `length` random hexadecimal digits, for names that must not meet; at most what is wanted of an id. */
export function randomHex(length: number): string {
  let text = ''
  while (text.length < length) text += hexOfWord(randomWord())
  return text.slice(0, length)
}

/** Eight hexadecimal digits for a word. */
export function hexOfWord(word: number): string {
  return HEX[word & 255]! + HEX[(word >>> 8) & 255]! + HEX[(word >>> 16) & 255]! + HEX[word >>> 24]!
}

/** A word with its bytes in the order of the digits: the first is the most significant. */
export function swapBytes(word: number): number {
  return ((word & 255) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** The word at `offset` of a string of hexadecimal digits; the digits must have been validated. */
export function wordOfHex(hex: string, offset: number): number {
  return swapBytes(Number.parseInt(hex.substring(offset, offset + 8), 16))
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
