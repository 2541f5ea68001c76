/** The reading side of a thread's memory: drains the ring, and after the thread's death its open spans. */
import { type DropCause, SLOT_BODY, SLOT_SIZE } from '../recorder/sink.js'
import {
  CLOSING,
  DISPOSED,
  DROPPED_FULL,
  DROPPED_LARGE,
  DROPPED_UNENCODABLE,
  FREE,
  HEAD,
  HEADER_BYTES,
  OF_LOGS,
  OPEN,
  ORIGIN,
  READ_SCOPE,
  RECORD_LOG,
  RECORD_MEASURED,
  RECORD_SCOPE,
  RECORD_SPAN,
  RECORD_WRAP,
  REPORTED_FULL,
  REPORTED_LARGE,
  REPORTED_OF_LOGS,
  REPORTED_UNENCODABLE,
  RING_START,
  SCOPES_BYTES,
  SCOPES_USED,
  SEALED,
  SLOT_END,
  SLOT_LENGTH,
  SLOT_SCOPE,
  SLOT_STATE,
  SLOTS_USED,
  TAIL,
  type ThreadMemory,
  UNTRACKED,
} from './layout.js'

/** What is delivered and accounted for, apart from one another. */
export type Signal = 'spans' | 'logs'

/** What a reader hands on. */
export interface RecordTarget {
  /** A scope, before the first of its spans. The arrays are copies. */
  scope(id: number, encoded: Uint8Array, schemaUrl: string): void
  /**
   * Finished spans of one scope, laid end to end as they were written.
   * @param bytes A view of the shared memory, to be copied before the call returns.
   * @param settled Called when the spans were delivered or dropped for good: what they were read from may forget them.
   */
  spans(scope: number, bytes: Uint8Array, count: number, settled?: () => void): void
  /**
   * A value that was measured.
   * @param body The record without its first four bytes: a view, to be copied before the call returns.
   */
  measured?(body: Buffer): void
  /**
   * A log record.
   * @param body As for `measured`.
   * @param settled As for `spans`.
   */
  logged?(body: Buffer, settled?: () => void): void
}

/** The start of a span that had not ended. */
export interface OpenSpan {
  readonly scope: number
  /** A copy of the encoded start. */
  readonly start: Uint8Array
}

/** An open span and the place it has in its thread's table: another span in the same slot has another mark. */
export interface SlottedSpan extends OpenSpan {
  readonly slot: number
  readonly mark: number
}

/** Spans or log records that a thread could not write. */
export interface ThreadLoss {
  readonly signal: Signal
  readonly cause: DropCause
  readonly count: number
}

/** The words of the header that count each cause, and how much of it has been reported. */
const LOSSES: readonly (readonly [cause: DropCause, dropped: number, reported: number])[] = [
  ['ring-full', DROPPED_FULL, REPORTED_FULL],
  ['too-large', DROPPED_LARGE, REPORTED_LARGE],
  ['unencodable', DROPPED_UNENCODABLE, REPORTED_UNENCODABLE],
]

/** Spans that are handed on in one piece at most; what is exported together is made of such pieces. */
const MAX_RUN = 256

export class RingReader {
  private readonly bytes: Buffer
  private readonly words: Int32Array
  private readonly mask: number
  private readonly table: number
  private readonly slots: number
  private tail = 0
  private scope = -1
  private corrupt = 0
  /** Scopes that the target has been told of, and where the next one lies. */
  private told = 0
  private nextScope = HEADER_BYTES

  constructor(memory: ThreadMemory) {
    this.bytes = Buffer.from(memory.buffer)
    this.words = new Int32Array(memory.buffer, 0, this.bytes.length >> 2)
    this.mask = memory.capacity - 1
    this.table = RING_START + memory.capacity
    this.slots = memory.slots
    this.tail = this.words[TAIL]!
    this.scope = this.words[READ_SCOPE]!
  }

  /** Bytes that wait to be read. */
  get waiting(): number {
    return (Atomics.load(this.words, HEAD) - this.tail) >>> 0
  }

  /**
   * Hands on what has been published, and frees its room.
   * @returns The number of spans and log records.
   */
  drain(target: RecordTarget): number {
    const head = Atomics.load(this.words, HEAD)
    if (head === this.tail) return 0
    const total = this.handOn(head, target)
    // For a reader that comes after this one.
    this.words[READ_SCOPE] = this.scope
    Atomics.store(this.words, TAIL, this.tail)
    Atomics.notify(this.words, TAIL)
    return total
  }

  /** Hands on what has been published and leaves it in place, for a reader that may come after this one, which has done its work. */
  look(target: RecordTarget): number {
    return this.handOn(Atomics.load(this.words, HEAD), target)
  }

  private handOn(head: number, target: RecordTarget): number {
    this.tellScopes(target)
    const { bytes, mask } = this
    // Read after the head: a writer moves the origin only when everything before it has been read.
    const origin = Atomics.load(this.words, ORIGIN)
    let total = 0
    let runStart = -1
    let run = 0
    let position = this.tail
    const flush = (end: number): void => {
      if (run > 0) target.spans(this.scope, bytes.subarray(runStart, end), run)
      total += run
      run = 0
    }
    if ((head - position) >>> 0 > mask + 1) {
      this.corrupt++
      position = head
    }
    while (position !== head) {
      const offset = (position - origin) & mask
      const at = RING_START + offset
      const type = bytes[at]
      const length =
        type === RECORD_SPAN
          ? 4 + lengthAt(bytes, at)
          : type === RECORD_SCOPE
            ? 4
            : type === RECORD_MEASURED || type === RECORD_LOG
              ? 4 + bytes.readUIntLE(at + 1, 3)
              : type === RECORD_WRAP
                ? mask + 1 - offset
                : 0
      // Only a fault could have written this; what lies behind it cannot be told apart any more.
      if (
        length === 0 ||
        (length & 3) !== 0 ||
        offset + length > mask + 1 ||
        length > (head - position) >>> 0
      ) {
        flush(at)
        this.corrupt++
        position = head
        break
      }
      position = (position + length) | 0
      if (type === RECORD_SPAN) {
        if (run === MAX_RUN) flush(at)
        if (run === 0) runStart = at
        run++
        if (offset + length === mask + 1) flush(at + length)
        continue
      }
      flush(at)
      if (type === RECORD_SCOPE) this.scope = bytes.readUInt16LE(at + 1)
      else if (type === RECORD_MEASURED) target.measured?.(bytes.subarray(at + 4, at + length))
      else if (type === RECORD_LOG) {
        target.logged?.(bytes.subarray(at + 4, at + length))
        total++
      }
    }
    flush(RING_START + ((position - origin) & mask))
    this.tail = position
    return total
  }

  /** Announces the scopes that have come since. Called before anything that may name one is handed on. */
  tellScopes(target: RecordTarget): void {
    const end = HEADER_BYTES + Math.min(Atomics.load(this.words, SCOPES_USED), SCOPES_BYTES)
    while (this.nextScope < end) {
      const at = this.nextScope
      const size = this.bytes.readUInt16LE(at)
      const urlSize = this.bytes.readUInt16LE(at + 2)
      const url = at + 4 + size
      target.scope(
        this.told++,
        copyOf(this.bytes.subarray(at + 4, url)),
        this.bytes.toString('utf8', url, url + urlSize),
      )
      this.nextScope = (url + urlSize + 3) & ~3
    }
  }

  /** The spans that have started and not ended; of a thread that still runs, those that hold still for the look. */
  *open(): Generator<SlottedSpan> {
    const { words } = this
    const used = Math.min(Atomics.load(words, SLOTS_USED), this.slots)
    const head = Atomics.load(words, HEAD)
    for (let i = 0; i < used; i++) {
      const slot = this.table + i * SLOT_SIZE
      const at = slot >> 2
      const state = words[at + SLOT_STATE]
      const lost = state === CLOSING && ((head - words[at + SLOT_END]!) | 0) < 0
      if (state !== OPEN && !lost) continue
      const mark = words[at + SLOT_END]!
      const body = slot + SLOT_BODY
      const scope = words[at + SLOT_SCOPE]!
      const start = copyOf(
        this.bytes.subarray(body, body + Math.min(words[at + SLOT_LENGTH]!, SLOT_SIZE - SLOT_BODY)),
      )
      // The slot of a running thread may be given to another span at any time; its mark tells.
      if (state === words[at + SLOT_STATE] && mark === words[at + SLOT_END])
        yield { scope, start, mark, slot: i }
    }
  }

  /** Tells the writer that nobody reads any more. */
  seal(): void {
    Atomics.store(this.words, SEALED, 1)
  }

  /** Whether a reader has read it for the last time. */
  get isSealed(): boolean {
    return Atomics.load(this.words, SEALED) === 1
  }

  /** At the end of the thread: its open spans have been closed, and nobody else is to close them. */
  release(): void {
    const used = Math.min(Atomics.load(this.words, SLOTS_USED), this.slots)
    for (let i = 0; i < used; i++) this.words[((this.table + i * SLOT_SIZE) >> 2) + SLOT_STATE] = FREE
  }

  /** All was read of a thread that is gone: its memory may serve another one from now on. */
  dispose(): void {
    Atomics.store(this.words, DISPOSED, 1)
  }

  /** What was lost since the last call, by whichever reader. */
  takeLosses(): readonly ThreadLoss[] {
    const losses: ThreadLoss[] = []
    for (const [cause, dropped, reported] of LOSSES) {
      const spans = this.unreported(dropped, reported)
      if (spans > 0) losses.push({ signal: 'spans', cause, count: spans })
      const logs = this.unreported(dropped + OF_LOGS, reported + REPORTED_OF_LOGS)
      if (logs > 0) losses.push({ signal: 'logs', cause, count: logs })
    }
    return losses
  }

  private unreported(count: number, reported: number): number {
    const { words } = this
    const now = Atomics.load(words, count)
    const lost = (now - words[reported]!) >>> 0
    words[reported] = now
    return lost
  }

  /** How often the ring held something that is no record; what was waiting in it then is lost. */
  get corruptions(): number {
    return this.corrupt
  }

  /** Spans that would not have been closed if the thread had died. */
  get untracked(): number {
    return Atomics.load(this.words, UNTRACKED) >>> 0
  }
}

/** The length of a span's record: three varint bytes, always. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at + 1]! & 127) | ((bytes[at + 2]! & 127) << 7) | (bytes[at + 3]! << 14)
}

/** A copy outside of shared memory. */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}
