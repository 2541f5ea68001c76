import type { Columns } from './columns.js'

const EMPTY = 0
const REMOVED = 0xffffffff

/** Finds a span by its trace and id: an open-addressing hash table over the rows, eight bytes a span. */
export class SpanIndex {
  readonly #columns: Columns
  #table = new Uint32Array(8192)
  #mask = 8191
  #used = 0
  #live = 0

  constructor(columns: Columns) {
    this.#columns = columns
  }

  get bytes(): number {
    return this.#table.byteLength
  }

  /** The row of the span, or -1. */
  find(trace: number, high: number, low: number): number {
    const columns = this.#columns
    for (let i = hash(trace, high, low) & this.#mask; ; i = (i + 1) & this.#mask) {
      const entry = this.#table[i]!
      if (entry === EMPTY) return -1
      if (entry === REMOVED) continue
      const row = entry - 1
      if (columns.spanLow[row] === low && columns.spanHigh[row] === high && columns.trace[row] === trace)
        return row
    }
  }

  /** Adds a row that is not in it. */
  add(row: number): void {
    if ((this.#used + 1) * 3 > this.#table.length * 2) this.#rehash()
    if (this.#place(row)) this.#used++
    this.#live++
  }

  remove(row: number): void {
    const { trace, spanHigh, spanLow } = this.#columns
    for (let i = hash(trace[row]!, spanHigh[row]!, spanLow[row]!) & this.#mask; ; i = (i + 1) & this.#mask) {
      if (this.#table[i] !== row + 1) continue
      this.#table[i] = REMOVED
      this.#live--
      return
    }
  }

  /** Answers whether an entry was taken that was empty before. */
  #place(row: number): boolean {
    const { trace, spanHigh, spanLow } = this.#columns
    for (let i = hash(trace[row]!, spanHigh[row]!, spanLow[row]!) & this.#mask; ; i = (i + 1) & this.#mask) {
      const entry = this.#table[i]!
      if (entry !== EMPTY && entry !== REMOVED) continue
      this.#table[i] = row + 1
      return entry === EMPTY
    }
  }

  #rehash(): void {
    const old = this.#table
    let size = old.length
    while (this.#live * 2 > size) size *= 2
    this.#table = new Uint32Array(size)
    this.#mask = size - 1
    this.#used = this.#live
    for (const entry of old) if (entry !== EMPTY && entry !== REMOVED) this.#place(entry - 1)
  }
}

/** Ids are random in most senders, but not in all: counters must spread as well. */
function hash(trace: number, high: number, low: number): number {
  let h = Math.imul(trace ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35) ^ Math.imul(low, 0x27d4eb2f)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
