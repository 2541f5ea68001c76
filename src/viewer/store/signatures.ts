import type { SpanScan } from './scan-span.js'

/** Rows that share a signature, as a power of two: neighbours come together, and so are alike. */
const ROWS_SHIFT = 6
const ROWS = 1 << ROWS_SHIFT

/** Bits of a signature, as a power of two. */
const BITS_SHIFT = 12
const BYTES = 1 << (BITS_SHIFT - 3)

/** Signatures that are allocated at once. */
const CHUNK_SHIFT = 10

/** ASCII letters count alike in either case, as searches have it. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))

/**
 * What three bytes in a row occur in the spans of each block of rows, as a bit for each of their hashes: so a search passes over spans that
 * cannot hold a word without reading them. It may be wrong in that a word is there, never in that it is not.
 */
export class Signatures {
  /** Bytes that it takes for a row. */
  static readonly rowBytes = BYTES / ROWS + 1

  readonly #chunks: Uint8Array[] = []
  /** By row: 1 where it has a span. */
  #live = new Uint8Array(0)
  /** By block: rows that have left since the signature was made. */
  #left = new Uint8Array(0)

  /** @param read What `add` was given for a row that has a span. */
  constructor(private readonly read: (row: number) => { bytes: Buffer; scan: SpanScan }) {}

  /** Bytes taken from the system. */
  get bytes(): number {
    return this.#chunks.length * (BYTES << CHUNK_SHIFT) + this.#live.length + this.#left.length
  }

  /** Takes the span of a row. */
  add(row: number, bytes: Buffer, scan: SpanScan): void {
    const block = row >>> ROWS_SHIFT
    this.#grow(block)
    if (this.#left[block]! >= ROWS) this.#renew(block)
    this.#live[row] = 1
    this.#takeSpan(block, bytes, scan)
  }

  /** The row's span has left; what it had stays in the signature until as many have left as a block has. */
  remove(row: number): void {
    const block = row >>> ROWS_SHIFT
    this.#live[row] = 0
    this.#left[block] = Math.min(ROWS, this.#left[block]! + 1)
  }

  /** The block of a row, whose signature it shares. */
  blockOf(row: number): number {
    return row >>> ROWS_SHIFT
  }

  /** Whether a span of a block may hold a word of these hashes, see `hashesOf`. */
  mayHold(block: number, hashes: Uint16Array): boolean {
    const chunk = this.#chunk(block)
    const base = this.#base(block)
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!
      if ((chunk[base + (hash >>> 3)]! & (1 << (hash & 7))) === 0) return false
    }
    return true
  }

  #renew(block: number): void {
    this.#left[block] = 0
    const base = this.#base(block)
    this.#chunk(block).fill(0, base, base + BYTES)
    for (let row = block << ROWS_SHIFT; row < (block + 1) << ROWS_SHIFT; row++) {
      if (this.#live[row] === 0) continue
      const { bytes, scan } = this.read(row)
      this.#takeSpan(block, bytes, scan)
    }
  }

  #takeSpan(block: number, bytes: Buffer, scan: SpanScan): void {
    const rest = restOf(bytes, scan)
    if (rest > scan.nameEnd) this.#take(block, bytes, scan.nameAt, scan.nameEnd)
    this.#take(block, bytes, rest, scan.end)
  }

  #take(block: number, bytes: Buffer, start: number, end: number): void {
    if (end - start < 3) return
    const chunk = this.#chunk(block)
    const base = this.#base(block)
    let three = (FOLD[bytes[start]!]! << 8) | FOLD[bytes[start + 1]!]!
    for (let i = start + 2; i < end; i++) {
      three = ((three << 8) | FOLD[bytes[i]!]!) & 0xffffff
      const hash = hashOf(three)
      chunk[base + (hash >>> 3)]! |= 1 << (hash & 7)
    }
  }

  #chunk(block: number): Uint8Array {
    return this.#chunks[block >>> CHUNK_SHIFT]!
  }

  #base(block: number): number {
    return (block & ((1 << CHUNK_SHIFT) - 1)) * BYTES
  }

  #grow(block: number): void {
    while (this.#chunks.length <= block >>> CHUNK_SHIFT)
      this.#chunks.push(new Uint8Array(BYTES << CHUNK_SHIFT))
    if (block < this.#left.length) return
    const blocks = Math.max(1024, 2 * block)
    this.#left = larger(this.#left, blocks)
    this.#live = larger(this.#live, blocks << ROWS_SHIFT)
  }
}

/** The hashes of all three bytes in a row of a word; none for a shorter one. */
export function hashesOf(word: Uint8Array): Uint16Array {
  const hashes = new Uint16Array(Math.max(0, word.length - 2))
  for (let i = 0; i < hashes.length; i++) {
    hashes[i] = hashOf((FOLD[word[i]!]! << 16) | (FOLD[word[i + 1]!]! << 8) | FOLD[word[i + 2]!]!)
  }
  return hashes
}

function hashOf(three: number): number {
  return Math.imul(three, 0x9e3779b1) >>> (32 - BITS_SHIFT)
}

/**
 * Where the text of a span goes on behind its name, or begins where its fields do not come in the usual order: only otherwise is it known
 * that there is none before. Ids and times, which are random and not searched for as text, would fill the signature.
 */
function restOf(bytes: Buffer, scan: SpanScan): number {
  const { start, traceAt, spanAt, parentAt, parentLength, nameAt, nameEnd } = scan
  const ids = parentLength === 8 ? parentAt + 8 : spanAt + 8
  const length = nameEnd - nameAt
  const isUsual =
    traceAt === start + 2 &&
    spanAt === traceAt + 18 &&
    (parentLength !== 8 || parentAt === spanAt + 10) &&
    nameAt === ids + (length < 128 ? 2 : 3)
  if (!isUsual) return start
  let rest = nameEnd
  if (bytes[rest] === 0x30 && bytes[rest + 1]! < 128) rest += 2
  if (bytes[rest] === 0x39) rest += 9
  if (bytes[rest] === 0x41) rest += 9
  return rest === nameEnd ? nameAt : rest
}

function larger(old: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  bytes.set(old)
  return bytes
}
