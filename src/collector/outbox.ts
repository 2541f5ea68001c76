/** What waits for export, of one signal, grouped as OTLP groups it: by process, then by scope. */
import type { Batch, ScopeBatch } from '../export/exporter.js'

interface Chunk {
  readonly bytes: Uint8Array
  readonly count: number
  readonly settled: (() => void) | undefined
}

interface ScopeQueue {
  readonly scope: Uint8Array
  readonly schemaUrl: string
  chunks: Chunk[]
}

/** A scope, as a thread has told of it. */
export interface OutboxScope {
  readonly encoded: Uint8Array
  readonly schemaUrl: string
  /** What it is told from others by; kept here once it is made. */
  key?: string
}

function keyOf({ encoded, schemaUrl }: OutboxScope): string {
  return `${Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('latin1')}\n${schemaUrl}`
}

/** What is of one process. */
export class ProcessQueue {
  readonly scopes = new Map<string, ScopeQueue>()
  isEnded = false

  constructor(
    private readonly outbox: Outbox,
    readonly resource: Uint8Array,
  ) {}

  /** @param chunk Complete fields, as `ScopeBatch` has them; kept as it is. */
  add(scope: OutboxScope, chunk: Uint8Array, count: number, settled?: () => void): void {
    if (!this.outbox.admit(chunk.length, count)) {
      settled?.()
      return
    }
    scope.key ??= keyOf(scope)
    let queue = this.scopes.get(scope.key)
    if (queue === undefined) {
      queue = { scope: scope.encoded, schemaUrl: scope.schemaUrl, chunks: [] }
      this.scopes.set(scope.key, queue)
    }
    queue.chunks.push({ bytes: chunk, count, settled })
  }
}

/** What is exported together, and whom to tell when that is settled. */
export interface Parcel {
  readonly batches: readonly Batch[]
  readonly receipts: readonly (() => void)[]
}

/** Bounds of the queue. */
export interface OutboxLimits {
  /** Bytes of encoded spans or log records. */
  readonly bytes: number
  /** How many of them. */
  readonly count: number
}

export class Outbox {
  count = 0
  bytes = 0
  /** How many were refused because the queue was full. */
  overflow = 0
  private readonly processes = new Set<ProcessQueue>()

  constructor(private readonly limits: OutboxLimits) {}

  process(resource: Uint8Array): ProcessQueue {
    const queue = new ProcessQueue(this, resource)
    this.processes.add(queue)
    return queue
  }

  /** A process has ended, and all it had to say was added. */
  forget(queue: ProcessQueue): void {
    queue.isEnded = true
    if (queue.scopes.size === 0) this.processes.delete(queue)
  }

  /** Counts what is added, or refuses it: the specification's batch processor drops what is new when its queue is full. */
  admit(bytes: number, count: number): boolean {
    if (this.bytes + bytes > this.limits.bytes || this.count + count > this.limits.count) {
      this.overflow += count
      return false
    }
    this.bytes += bytes
    this.count += count
    return true
  }

  /** Takes out about `most` of them or `bytes` bytes, whichever is less, at least one chunk. */
  take(most: number, bytes: number): Parcel {
    const batches: Batch[] = []
    const receipts: (() => void)[] = []
    let room = most
    let space = bytes
    for (const process of this.processes) {
      const scopes: ScopeBatch[] = []
      let batchCount = 0
      let batchBytes = 0
      for (const [key, queue] of process.scopes) {
        if (room <= 0 || space <= 0) break
        let taken = 0
        let count = 0
        for (const chunk of queue.chunks) {
          if (room <= 0 || space <= 0) break
          taken++
          if (chunk.settled !== undefined) receipts.push(chunk.settled)
          count += chunk.count
          batchBytes += chunk.bytes.length
          room -= chunk.count
          space -= chunk.bytes.length
        }
        const chunks = queue.chunks.slice(0, taken).map(({ bytes: part }) => part)
        queue.chunks = queue.chunks.slice(taken)
        if (queue.chunks.length === 0) process.scopes.delete(key)
        scopes.push({ scope: queue.scope, schemaUrl: queue.schemaUrl, chunks, count })
        batchCount += count
      }
      if (process.isEnded && process.scopes.size === 0) this.processes.delete(process)
      if (batchCount === 0) continue
      batches.push({ resource: process.resource, scopes, count: batchCount, bytes: batchBytes })
      this.count -= batchCount
      this.bytes -= batchBytes
    }
    return { batches, receipts }
  }
}
