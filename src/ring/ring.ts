import type { DropCause, RecordSink } from '../recorder/sink.js'
import { SLOT_SIZE } from '../recorder/sink.js'
import {
  AWAKE,
  CLOSING,
  DROPPED_FULL,
  DROPPED_LARGE,
  DROPPED_UNENCODABLE,
  FREE,
  HEAD,
  HEADER_BYTES,
  OF_LOGS,
  OPEN,
  ORIGIN,
  RECORD_SCOPE,
  RECORD_WRAP,
  RING_START,
  SCOPES_BYTES,
  SCOPES_USED,
  SEALED,
  SLOT_END,
  SLOT_LENGTH,
  SLOT_SCOPE,
  SLOT_STATE,
  SLOTS_USED,
  STATE,
  TAIL,
  type ThreadMemory,
  UNTRACKED,
  WAKE,
} from './layout.js'

/** How long a full ring holds its thread up, in milliseconds, until half of it has been free again. */
const PATIENCE = 1000
/** One wait for the collector, in milliseconds; the tail is looked at in between. */
const WAIT = 20
/** An empty ring starts over at its beginning when it has got further than this, so that a burst's pages stay unused after it. */
const REWIND = 65536

/** The header's word for each cause. */
const DROPPED: Readonly<Record<DropCause, number>> = {
  'ring-full': DROPPED_FULL,
  'too-large': DROPPED_LARGE,
  unencodable: DROPPED_UNENCODABLE,
}

/**
 * The writing side of a thread's ring: the only writer of everything in it but the tail.
 *
 * A record is visible once the head has passed it. A thread that is stopped at any instruction leaves whole records behind
 * the head and nothing before it.
 */
export class Ring implements RecordSink {
  readonly bytes: Buffer
  readonly words: Int32Array
  readonly maxRecord: number
  currentScope = -1
  /** Called when a span has started; only where it would not survive this process otherwise. */
  opened: (() => void) | undefined

  private readonly control: Int32Array
  private readonly capacity: number
  private readonly mask: number
  private readonly slots: number
  private readonly table: number
  /** Free slots, the one used last on top: its memory is warm. */
  private readonly free: number[] = []
  private slotsUsed = 0
  /** Tells the spans apart that have had the same slot. */
  private marks = 0
  private head: number
  /** The position that lies at the beginning of the ring. */
  private origin: number
  private tail: number
  private patience = PATIENCE
  private scopes = 0
  /** Whether it is counted as a span where there is no room. */
  private isSpan = true
  private wokenAt = -1
  /** Offset in the ring behind which to see whether it is empty. */
  private lookAt = REWIND
  /** Positions at which a writer looks whether the collector keeps up. */
  private readonly half: number

  /**
   * @param memory This thread's memory; a thread has one Ring in its life.
   * @param control The control block of the process.
   * @param wake Called when something was written and the collector is asleep or not there.
   */
  constructor(
    memory: ThreadMemory,
    control: Int32Array,
    private readonly wake: () => void,
  ) {
    const { buffer, capacity } = memory
    this.bytes = Buffer.from(buffer)
    // Of a fixed length, as a Buffer is and views of a buffer that can grow are not: the engine need not ask for it at each access.
    this.words = new Int32Array(buffer, 0, this.bytes.length >> 2)
    this.control = control
    this.capacity = capacity
    this.mask = capacity - 1
    this.slots = memory.slots
    this.table = RING_START + capacity
    this.half = capacity >>> 1
    this.maxRecord = Math.min(capacity >>> 2, 2 ** 21 - 8)
    this.head = this.words[HEAD]!
    this.tail = this.words[TAIL]!
    this.origin = this.words[ORIGIN]!
  }

  reserve(size: number): number {
    const offset = (this.head - this.origin) & this.mask
    const skip = offset + size > this.capacity ? this.capacity - offset : 0
    if (this.capacity - ((this.head - this.tail) >>> 0) < size + skip && !this.makeRoom(size + skip))
      return -1
    if (skip > 0) {
      // The rest of the ring is left out, and the record lies at its beginning.
      this.words[(RING_START + offset) >> 2] = RECORD_WRAP
      this.head = (this.head + skip) | 0
      this.lookAt = REWIND
      return RING_START
    }
    if (offset > this.lookAt) return RING_START + this.rewind(offset)
    return RING_START + offset
  }

  /** As `reserve`, for what is no span: whoever asks counts what there is no room for. */
  reserveUncounted(size: number): number {
    this.isSpan = false
    const at = this.reserve(size)
    this.isSpan = true
    return at
  }

  /**
   * Starts over at the ring's beginning if the reader has caught up, so that after a burst its pages lie unused; else looks
   * again some way on. The reader sees the new origin before any record that needs it.
   */
  private rewind(offset: number): number {
    this.tail = Atomics.load(this.words, TAIL)
    if (this.tail !== this.head) {
      this.lookAt = offset + REWIND
      return offset
    }
    this.origin = this.head
    Atomics.store(this.words, ORIGIN, this.origin)
    this.lookAt = REWIND
    return 0
  }

  commit(end: number, slot: number): void {
    const { words } = this
    this.advance(end)
    const { head } = this
    if (slot !== 0) {
      const at = slot >> 2
      words[at + SLOT_END] = head
      words[at + SLOT_STATE] = CLOSING
    }
    this.publish(head)
    if (slot !== 0) {
      words[(slot >> 2) + SLOT_STATE] = FREE
      this.free.push(slot)
    }
  }

  private publish(head: number): void {
    Atomics.store(this.words, HEAD, head)
    if (Atomics.load(this.control, STATE) !== AWAKE) this.wake()
    else if ((head - this.tail) >>> 0 > this.half) this.press()
  }

  /** The ring looks half full: look closer, and ask the collector for haste once per advance of the tail. */
  private press(): void {
    this.tail = Atomics.load(this.words, TAIL)
    const used = (this.head - this.tail) >>> 0
    if (used <= this.half) {
      this.patience = PATIENCE
      return
    }
    if (this.wokenAt === this.tail) return
    this.wokenAt = this.tail
    this.hurry()
  }

  private hurry(): void {
    Atomics.add(this.control, WAKE, 1)
    Atomics.notify(this.control, WAKE)
  }

  /** Waits until `size` bytes are free; false when patience has run out, and the loss is counted. */
  private makeRoom(size: number): boolean {
    const { words } = this
    // What was skipped or announced is whole; published, it can be read past, and its room becomes free.
    Atomics.store(words, HEAD, this.head)
    for (;;) {
      const tail = Atomics.load(words, TAIL)
      const advanced = tail !== this.tail
      this.tail = tail
      const free = this.capacity - ((this.head - tail) >>> 0)
      if (free >= size) {
        if (free > this.half) this.patience = PATIENCE
        return true
      }
      if (this.patience <= 0 || Atomics.load(words, SEALED) === 1) break
      if (Atomics.load(this.control, STATE) !== AWAKE) this.wake()
      this.hurry()
      const before = performance.now()
      // The reader's progress ends the wait; whether it was notified or the time is up, the tail is read again.
      Atomics.wait(words, TAIL, tail, WAIT)
      this.patience -= advanced ? 0 : performance.now() - before
    }
    if (this.isSpan) this.drop('ring-full')
    return false
  }

  drop(cause: DropCause, of = 0): void {
    Atomics.add(this.words, DROPPED[cause] + of, 1)
  }

  /** Counts a log record that was not written. */
  dropLog(cause: DropCause): void {
    this.drop(cause, OF_LOGS)
  }

  openSlot(): number {
    const slot = this.free.pop()
    if (slot !== undefined) return slot
    if (this.slotsUsed < this.slots) {
      const fresh = this.table + this.slotsUsed * SLOT_SIZE
      this.words[SLOTS_USED] = ++this.slotsUsed
      return fresh
    }
    this.words[UNTRACKED]!++
    return 0
  }

  armSlot(slot: number, length: number, scope: number): void {
    const { words } = this
    const at = slot >> 2
    words[at + SLOT_LENGTH] = length
    words[at + SLOT_SCOPE] = scope
    words[at + SLOT_END] = this.marks = (this.marks + 1) | 0
    words[at + SLOT_STATE] = OPEN
    this.opened?.()
  }

  freeSlot(slot: number): void {
    if (slot === 0) return
    this.words[(slot >> 2) + SLOT_STATE] = FREE
    this.free.push(slot)
  }

  defineScope(scope: Uint8Array, schemaUrl: string): number {
    const url = Buffer.from(schemaUrl)
    const used = this.words[SCOPES_USED]!
    if (used + 8 + scope.length + url.length > SCOPES_BYTES) {
      // Too many, or too long a name, for a program that makes names out of data: they go under the first one's.
      return this.scopes > 0 ? 0 : this.defineScope(new Uint8Array(0), '')
    }
    const { bytes } = this
    const at = HEADER_BYTES + used
    bytes.writeUInt16LE(scope.length, at)
    bytes.writeUInt16LE(url.length, at + 2)
    bytes.set(scope, at + 4)
    bytes.set(url, at + 4 + scope.length)
    // Published before a slot or a record names it.
    Atomics.store(this.words, SCOPES_USED, (used + 4 + scope.length + url.length + 3) & ~3)
    return this.scopes++
  }

  selectScope(scope: number): boolean {
    const at = this.reserve(4)
    if (at < 0) return false
    this.words[at >> 2] = RECORD_SCOPE | (scope << 8)
    this.advance(at + 4)
    this.currentScope = scope
    return true
  }

  /** Moves on without publishing: a change of scope becomes visible with the span that follows. */
  private advance(end: number): void {
    const passed = (this.head - this.origin) & ~this.mask
    this.head = (this.origin + passed + end - RING_START) | 0
  }
}
