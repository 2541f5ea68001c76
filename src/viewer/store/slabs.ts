/** Bytes of one slab. Large enough that a million spans are a hundred slabs, small enough to be given back one by one. */
export const SLAB_SIZE = 4 * 1024 * 1024

/** Each record starts with its row and its length, so that a slab can be read from front to back. */
export const RECORD_HEADER = 8

interface Slab {
  bytes: Buffer
  used: number
  live: number
}

/** Where the records are, by row: the columns that say in which slab and at which offset. */
export interface Places {
  slab: Uint16Array
  offset: Uint32Array
  length: Uint32Array
}

/**
 * The encoded spans, end to end in large buffers outside of the JavaScript heap. A removed record leaves a hole; when
 * holes make up a third, the emptiest slabs are rewritten.
 */
export class Slabs {
  readonly #slabs: (Slab | undefined)[] = []
  #current = -1
  #live = 0
  #count = 0

  /** Bytes allocated. */
  get allocated(): number {
    return this.#count * SLAB_SIZE
  }

  /** Bytes of the records that are still wanted. */
  get live(): number {
    return this.#live
  }

  bytes(slab: number): Buffer {
    return this.#slabs[slab]!.bytes
  }

  /** Copies `source[start, end)` in as the record of `row`; at most `SLAB_SIZE - 8` bytes. */
  put(places: Places, row: number, source: Buffer, start: number, end: number): void {
    const length = end - start
    let slab = this.#slabs[this.#current]
    if (slab === undefined || slab.used + RECORD_HEADER + length > SLAB_SIZE) slab = this.#open()
    const at = slab.used
    slab.bytes.writeUInt32LE(row, at)
    slab.bytes.writeUInt32LE(length, at + 4)
    source.copy(slab.bytes, at + RECORD_HEADER, start, end)
    slab.used = at + RECORD_HEADER + length
    slab.live += RECORD_HEADER + length
    this.#live += RECORD_HEADER + length
    places.slab[row] = this.#current
    places.offset[row] = at + RECORD_HEADER
    places.length[row] = length
  }

  remove(places: Places, row: number): void {
    const number = places.slab[row]!
    const slab = this.#slabs[number]!
    const size = RECORD_HEADER + places.length[row]!
    slab.live -= size
    this.#live -= size
    // The row may be given to another span before its old record is gone: the record must not look like that span's.
    slab.bytes.writeUInt32LE(0xffffffff, places.offset[row]! - RECORD_HEADER)
    if (slab.live === 0) this.#close(number)
  }

  /** Rewrites the emptiest slabs when the holes are worth it. */
  compact(places: Places): void {
    while (this.#count > 2 && this.#live < (this.#count - 1) * SLAB_SIZE * (2 / 3)) {
      let emptiest = -1
      for (let i = 0; i < this.#slabs.length; i++) {
        const slab = this.#slabs[i]
        if (slab === undefined || i === this.#current) continue
        if (emptiest < 0 || slab.live < this.#slabs[emptiest]!.live) emptiest = i
      }
      this.#rewrite(places, emptiest)
    }
  }

  #rewrite(places: Places, number: number): void {
    const slab = this.#slabs[number]!
    for (let at = 0; at < slab.used; ) {
      const row = slab.bytes.readUInt32LE(at)
      const end = at + RECORD_HEADER + slab.bytes.readUInt32LE(at + 4)
      if (row !== 0xffffffff) {
        this.#live -= end - at
        this.put(places, row, slab.bytes, at + RECORD_HEADER, end)
      }
      at = end
    }
    this.#close(number)
  }

  #open(): Slab {
    const slab = { bytes: Buffer.allocUnsafeSlow(SLAB_SIZE), used: 0, live: 0 }
    let free = this.#slabs.indexOf(undefined)
    if (free < 0) free = this.#slabs.length
    this.#slabs[free] = slab
    this.#current = free
    this.#count++
    return slab
  }

  #close(number: number): void {
    this.#slabs[number] = undefined
    this.#count--
    if (number === this.#current) this.#current = -1
  }
}
