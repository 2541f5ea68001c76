import type { Batch, ScopeBatch } from './exporter.js'

/** A part of what was to be exported, small enough for one request. */
export interface Piece {
  readonly batches: readonly Batch[]
  readonly count: number
  /** Bytes of the spans alone. */
  readonly bytes: number
}

/** Bytes of a scope's spans before framing. */
function bytesOf(scope: ScopeBatch): number {
  let bytes = 0
  for (const chunk of scope.chunks) bytes += chunk.length
  return bytes
}

/** The offset after the field at `offset` (one tag byte, varint length, content), at most the chunk's end. */
function fieldEnd(chunk: Uint8Array, offset: number): number {
  let length = 0
  let scale = 1
  let at = offset + 1
  for (; at < chunk.length; at++) {
    const byte = chunk[at]!
    length += (byte & 0x7f) * scale
    if (byte < 0x80) break
    scale *= 128
  }
  return Math.min(at + 1 + length, chunk.length)
}

/** Collects spans until the next would be too much; keeps order, resources and scopes. */
class Packer {
  readonly pieces: Piece[] = []
  #batches: Batch[] = []
  #scopes: ScopeBatch[] = []
  #chunks: Uint8Array[] = []
  #bytes = 0
  #count = 0
  #scopeCount = 0

  constructor(readonly maxBytes: number) {}

  add(batch: Batch): void {
    for (const scope of batch.scopes) {
      if (scope.count === 0) continue
      const size = bytesOf(scope)
      if (this.#bytes + size <= this.maxBytes) {
        for (const chunk of scope.chunks) this.#chunks.push(chunk)
        this.#grow(size, scope.count)
      } else {
        this.#cut(batch, scope)
      }
      this.#endScope(scope)
    }
    this.#endBatch(batch)
  }

  /** Goes through a scope span by span: chunks do not tell how many spans they hold. */
  #cut(batch: Batch, scope: ScopeBatch): void {
    for (const chunk of scope.chunks) {
      let start = 0
      for (let at = 0; at < chunk.length; ) {
        const end = fieldEnd(chunk, at)
        if (this.#bytes > 0 && this.#bytes + (end - at) > this.maxBytes) {
          if (at > start) this.#chunks.push(chunk.subarray(start, at))
          start = at
          this.#endScope(scope)
          this.#endBatch(batch)
          this.#endPiece()
        }
        this.#grow(end - at, 1)
        at = end
      }
      if (start < chunk.length) this.#chunks.push(chunk.subarray(start))
    }
  }

  #grow(bytes: number, count: number): void {
    this.#bytes += bytes
    this.#count += count
    this.#scopeCount += count
  }

  #endScope(scope: ScopeBatch): void {
    if (this.#scopeCount > 0) {
      const { scope: encoded, schemaUrl } = scope
      this.#scopes.push({ scope: encoded, schemaUrl, chunks: this.#chunks, count: this.#scopeCount })
    }
    this.#chunks = []
    this.#scopeCount = 0
  }

  #endBatch(batch: Batch): void {
    if (this.#scopes.length === 0) return
    let count = 0
    let bytes = 0
    for (const scope of this.#scopes) {
      count += scope.count
      bytes += bytesOf(scope)
    }
    this.#batches.push({ resource: batch.resource, scopes: this.#scopes, count, bytes })
    this.#scopes = []
  }

  #endPiece(): void {
    if (this.#batches.length === 0) return
    this.pieces.push({ batches: this.#batches, count: this.#count, bytes: this.#bytes })
    this.#batches = []
    this.#bytes = 0
    this.#count = 0
  }

  finish(): Piece[] {
    this.#endPiece()
    return this.pieces
  }
}

/**
 * Cuts batches into pieces of at most `maxBytes` bytes of spans each, at span borders and in order. A single span
 * that is larger makes a piece of its own. Chunks are not copied.
 */
export function split(batches: readonly Batch[], maxBytes: number): Piece[] {
  const packer = new Packer(maxBytes)
  for (const batch of batches) packer.add(batch)
  return packer.finish()
}
