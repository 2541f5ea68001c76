/**
 * The shared memory in which a thread measures. Each series has cells of its own there, 64-bit floating-point numbers with one writer: adding
 * to one takes no lock, no message and no memory, and what was added outlives the thread.
 *
 * A thread has as many blocks as it needs, each twice as large as the one before:
 *
 *   header | records
 *
 * Records are multiples of 8 bytes, and visible once the block's USED has passed them; they never change but for the cells:
 *
 *   LL LL LL LL  01 00 00 00  NN NN NN NN  SS SS SS SS   instrument NN: its descriptor, JSON of SS bytes
 *   LL LL LL LL  02 00 00 00  NN NN NN NN  SS SS SS SS   a series of it: `CC CC CC CC 00 00 00 00`, SS bytes of encoded
 *                                                        attributes (`KeyValue` fields with tag 0a), padding, CC cells
 */
import type { InstrumentDescriptor } from './descriptor.js'

/** Indexes of header words. */
const USED = 0
/** The last round of observing that was completed; of a thread's first block. */
export const ROUND = 1
/** 1 where the thread has callbacks that observe; of its first block. */
export const OBSERVES = 2

const HEADER_BYTES = 64
const FIRST_BLOCK = 16 * 1024
const LARGEST_BLOCK = 1024 * 1024
/** Bytes of one thread's blocks at most. */
const MOST_BYTES = 32 * 1024 * 1024

const INSTRUMENT = 1
const SERIES = 2
const INSTRUMENT_HEAD = 16
const SERIES_HEAD = 24

const padded = (size: number): number => (size + 7) & ~7

/** The cells of one series: `cells[at]` and onward. */
export interface Cells {
  readonly cells: Float64Array
  readonly at: number
}

/** The writing side, one for a thread. */
export class CellWriter {
  private words: Int32Array | undefined
  private bytes: Uint8Array
  private floats: Float64Array
  private end = 0
  private total = 0
  private blocks = 0
  private instruments = 0
  private first: Int32Array | undefined

  /** @param opened Called with each new block. */
  constructor(private readonly opened: (block: SharedArrayBuffer, index: number) => void) {
    this.bytes = new Uint8Array(0)
    this.floats = new Float64Array(0)
  }

  /** @returns The instrument's number; undefined where there is no room. */
  instrument(descriptor: InstrumentDescriptor): number | undefined {
    const text = Buffer.from(JSON.stringify(descriptor))
    const size = padded(INSTRUMENT_HEAD + text.length)
    const at = this.reserve(size)
    if (at < 0) return undefined
    this.head(at, INSTRUMENT, this.instruments, text.length)
    this.bytes.set(text, at + INSTRUMENT_HEAD)
    this.publish(at, size)
    return this.instruments++
  }

  /**
   * New cells.
   * @param initial What they begin with.
   * @returns undefined where there is no room.
   */
  series(instrument: number, attributes: Uint8Array, initial: readonly number[]): Cells | undefined {
    const cellsAt = padded(SERIES_HEAD + attributes.length)
    const size = cellsAt + 8 * initial.length
    const at = this.reserve(size)
    if (at < 0) return undefined
    this.head(at, SERIES, instrument, attributes.length)
    this.words![(at >> 2) + 4] = initial.length
    this.bytes.set(attributes, at + SERIES_HEAD)
    const cells = (at + cellsAt) >> 3
    this.floats.set(initial, cells)
    this.publish(at, size)
    return { cells: this.floats, at: cells }
  }

  /** Callbacks observe in this thread; `round` is the last one that they have completed. */
  observed(round: number): void {
    if (this.first === undefined) this.open(0)
    const { first } = this
    if (first === undefined) return
    Atomics.store(first, OBSERVES, 1)
    Atomics.store(first, ROUND, round)
  }

  private reserve(size: number): number {
    if (this.end + size > this.bytes.length && !this.open(size)) return -1
    return this.end
  }

  private open(size: number): boolean {
    const wanted = Math.min(LARGEST_BLOCK, FIRST_BLOCK * 2 ** this.blocks)
    const length = Math.max(wanted, HEADER_BYTES + size)
    if (this.total + length > MOST_BYTES) return false
    const block = new SharedArrayBuffer(length & ~7)
    this.total += length
    this.words = new Int32Array(block)
    this.bytes = new Uint8Array(block)
    this.floats = new Float64Array(block)
    this.first ??= this.words
    this.end = HEADER_BYTES
    Atomics.store(this.words, USED, HEADER_BYTES)
    this.opened(block, this.blocks++)
    return true
  }

  private head(at: number, type: number, number: number, length: number): void {
    const word = at >> 2
    this.words![word + 1] = type
    this.words![word + 2] = number
    this.words![word + 3] = length
  }

  private publish(at: number, size: number): void {
    this.words![at >> 2] = size
    this.end = at + size
    Atomics.store(this.words!, USED, this.end)
  }
}

/** Takes what one thread measures. */
export interface CellTarget {
  /** @param descriptor JSON of an `InstrumentDescriptor`. */
  instrument(number: number, descriptor: Uint8Array): void
  /**
   * @param attributes `KeyValue` fields with tag 0a; a copy.
   * @param cells Go on changing.
   */
  series(instrument: number, attributes: Uint8Array, cells: Float64Array): void
}

/** A thread of this process or of a descendant, which writes cells. */
export interface CellSource {
  /** Hands on what is new. */
  read(target: CellTarget): void
  /** Lets what was handed on be handed on again: to another target. */
  rewind?(): void
  /** The last round of observing that was completed in it; undefined where that is not known, and what was ever said holds. */
  readonly round: number | undefined
}

/** The reading side, for one thread. Whatever its memory holds, reading ends and does not throw. */
export class CellReader implements CellSource {
  private readonly blocks: { readonly memory: SharedArrayBuffer; readonly words: Int32Array; end: number }[] =
    []

  /** A block of the thread's has come; the same one may come twice, and in any order. */
  add(memory: SharedArrayBuffer, index: number): void {
    if (index < 0 || index > MOST_BYTES / FIRST_BLOCK) return
    this.blocks[index] ??= { memory, words: new Int32Array(memory), end: HEADER_BYTES }
  }

  /** Hands on what is new. */
  read(target: CellTarget): void {
    for (const block of this.blocks) {
      // One that was announced and has not come yet: what lies behind it waits.
      if (block === undefined) return
      const { memory, words } = block
      const used = Math.min(Atomics.load(words, USED), memory.byteLength)
      while (block.end + INSTRUMENT_HEAD <= used) {
        const word = block.end >> 2
        const size = words[word]!
        if (size < INSTRUMENT_HEAD || (size & 7) !== 0 || block.end + size > used) {
          block.end = memory.byteLength
          break
        }
        hand(target, memory, words, block.end, size)
        block.end += size
      }
    }
  }

  rewind(): void {
    for (const block of this.blocks) if (block !== undefined) block.end = HEADER_BYTES
  }

  /** Whether callbacks observe in the thread and have not completed the round. */
  isBehind(round: number): boolean {
    const words = this.blocks[0]?.words
    return words !== undefined && Atomics.load(words, OBSERVES) === 1 && Atomics.load(words, ROUND) !== round
  }

  /** The last round that was completed. */
  get round(): number {
    const words = this.blocks[0]?.words
    return words === undefined ? 0 : Atomics.load(words, ROUND)
  }
}

function hand(
  target: CellTarget,
  memory: SharedArrayBuffer,
  words: Int32Array,
  at: number,
  size: number,
): void {
  const word = at >> 2
  const number = words[word + 2]!
  const length = words[word + 3]! >>> 0
  if (words[word + 1] === INSTRUMENT && INSTRUMENT_HEAD + length <= size) {
    target.instrument(number, Uint8Array.from(new Uint8Array(memory, at + INSTRUMENT_HEAD, length)))
  } else if (words[word + 1] === SERIES) {
    const count = words[word + 4]!
    const cells = padded(SERIES_HEAD + length)
    if (count < 1 || length > size || cells + 8 * count !== size) return
    target.series(
      number,
      Uint8Array.from(new Uint8Array(memory, at + SERIES_HEAD, length)),
      new Float64Array(memory, at + cells, count),
    )
  }
}
