/** The reading side of a thread's memory: drains the ring, and after the thread's death its open spans. */
import { SLOT_BODY, SLOT_SIZE } from '../recorder/sink.js'
import {
  CLOSING,
  DROPPED_FULL,
  DROPPED_LARGE,
  HEAD,
  HEADER_BYTES,
  OPEN,
  ORIGIN,
  RECORD_DEFINE,
  RECORD_SCOPE,
  RECORD_SPAN,
  SEALED,
  SLOT_END,
  SLOT_LENGTH,
  SLOT_SCOPE,
  SLOT_STATE,
  SLOTS_USED,
  TAIL,
  type ThreadMemory,
  UNTRACKED,
  WRITTEN,
} from './layout.js'

/** What a reader hands on. */
export interface RecordTarget {
  /** A scope, before the first of its spans. The arrays are copies. */
  scope(id: number, encoded: Uint8Array, schemaUrl: string): void
  /**
   * Finished spans of one scope, laid end to end as they were written.
   * @param bytes A view of the shared memory, to be copied before the call returns.
   */
  spans(scope: number, bytes: Uint8Array, count: number): void
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

/** Counters of a thread, absolute since its start. */
export interface ThreadCounters {
  readonly written: number
  readonly ringFull: number
  readonly tooLarge: number
  readonly untracked: number
}

/** Spans that are handed on in one piece at most; what is exported together is made of such pieces. */
const MAX_RUN = 256

/** A scope as it was announced. */
export interface KnownScope {
  readonly encoded: Uint8Array
  readonly schemaUrl: string
}

export class RingReader {
  private readonly bytes: Buffer
  private readonly words: Int32Array
  private readonly mask: number
  private readonly table: number
  private tail = 0
  private scope = -1

  constructor(memory: ThreadMemory) {
    this.bytes = Buffer.from(memory.buffer)
    this.words = new Int32Array(memory.buffer)
    this.mask = memory.capacity - 1
    this.table = HEADER_BYTES + memory.capacity
    this.tail = this.words[TAIL]!
  }

  /** Bytes that wait to be read. */
  get waiting(): number {
    return (Atomics.load(this.words, HEAD) - this.tail) >>> 0
  }

  /**
   * Hands on what has been published, and frees its room.
   * @returns The number of spans.
   */
  drain(target: RecordTarget): number {
    const head = Atomics.load(this.words, HEAD)
    if (head === this.tail) return 0
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
    while (position !== head) {
      const at = HEADER_BYTES + ((position - origin) & mask)
      const type = bytes[at]
      if (type === RECORD_SPAN) {
        if (run === MAX_RUN) flush(at)
        if (run === 0) runStart = at
        run++
        position = (position + 4 + lengthAt(bytes, at)) | 0
        if (((position - origin) & mask) === 0) flush(at + 4 + lengthAt(bytes, at))
        continue
      }
      flush(at)
      if (type === RECORD_SCOPE) {
        this.scope = bytes.readUInt16LE(at + 1)
        position = (position + 4) | 0
      } else if (type === RECORD_DEFINE) {
        const size = bytes.readUInt16LE(at + 6)
        const length = bytes.readUIntLE(at + 1, 3)
        const url = bytes.toString('utf8', at + 8 + size, at + 4 + length)
        const end = url.indexOf('\0')
        target.scope(
          bytes.readUInt16LE(at + 4),
          copyOf(bytes.subarray(at + 8, at + 8 + size)),
          end < 0 ? url : url.substring(0, end),
        )
        position = (position + 4 + length) | 0
      } else {
        position = (position + mask + 1 - ((position - origin) & mask)) | 0
      }
    }
    flush(HEADER_BYTES + ((position - origin) & mask))
    this.tail = position
    Atomics.store(this.words, TAIL, position)
    Atomics.notify(this.words, TAIL)
    return total
  }

  /** The spans that have started and not ended; of a thread that still runs, those that hold still for the look. */
  *open(): Generator<SlottedSpan> {
    const { words } = this
    const used = words[SLOTS_USED]!
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
      const start = copyOf(this.bytes.subarray(body, body + words[at + SLOT_LENGTH]!))
      // The slot of a running thread may be given to another span at any time; its mark tells.
      if (state === words[at + SLOT_STATE] && mark === words[at + SLOT_END])
        yield { scope, start, mark, slot: i }
    }
  }

  /** Tells the writer that nobody reads any more. */
  seal(): void {
    Atomics.store(this.words, SEALED, 1)
  }

  get counters(): ThreadCounters {
    const { words } = this
    return {
      written: Atomics.load(words, WRITTEN) >>> 0,
      ringFull: Atomics.load(words, DROPPED_FULL) >>> 0,
      tooLarge: Atomics.load(words, DROPPED_LARGE) >>> 0,
      untracked: Atomics.load(words, UNTRACKED) >>> 0,
    }
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
