/**
 * How a descendant hands its main thread's spans on while it is small: written to the exporting process's folder by the
 * thread itself, as they end. A short-lived child pays for no thread and no connection; one that turns out busy gets its
 * collector thread, which goes on where this has stopped.
 */
import { monotonicNow, now, unixNano } from '../core/clock.js'
import { debug } from '../core/log.js'
import type { ThreadEntry } from '../link/messages.js'
import type { OwnCells } from '../link/own-cells.js'
import { ownerState } from '../link/owner.js'
import { LinkWriter, type Unsent } from '../link/writer.js'
import { closedSpan } from '../ring/closed-span.js'
import { RingReader } from '../ring/reader.js'
import type { Ring } from '../ring/ring.js'

/** Spans that are written one by one before a thread of its own is worth it: about what that thread's start costs. */
const ENOUGH = 1000
/** Milliseconds between two looks at whether the folder's owner is still there, while there is something to write. */
const OWNER = 500
/** Milliseconds between two looks at an owner that is about to leave. */
const LEAVING = 5

export class OwnLink {
  private reader: RingReader | undefined
  private entry: ThreadEntry | undefined
  private ring: Ring | undefined
  private writer: LinkWriter | undefined
  private unsent: Unsent[] = []
  private hasFailed = false
  private count = 0
  private lookedAt = performance.now()
  /** What this thread measures in, once it does. */
  private cells: OwnCells | undefined
  /** Whether what was measured is about to be written. */
  private isTouched = false
  /** Whether another thread writes what was measured. */
  private isLeft = false
  private readonly announced: number[] = []
  private readonly ends: { pid: number; reason: string; time: bigint }[] = []

  /**
   * @param folder The exporting process's folder.
   * @param resource This process's encoded Resource, asked for once.
   * @param makeCells Makes what reads this thread's cells, once it measures.
   * @param busy Called when a thread of its own is worth it, or nobody reads the link any more.
   * @param failed Called when nothing can be written any more: the ring has to be handed over.
   */
  constructor(
    private readonly folder: string,
    private readonly resource: () => Uint8Array,
    private readonly makeCells: () => OwnCells,
    private readonly busy: () => void,
    private readonly failed: () => void,
  ) {}

  /** Whether the main thread's ring is read here. */
  get isReading(): boolean {
    return this.reader !== undefined
  }

  /** The ring to read, before anything is written to it. */
  read(entry: ThreadEntry, ring: Ring): void {
    this.entry = entry
    this.ring = ring
    this.reader = new RingReader(entry.memory)
    ring.opened = () => this.drain()
  }

  /** A block of this thread's cells. */
  measure(index: number, block: SharedArrayBuffer): void {
    this.cells ??= this.makeCells()
    this.cells.add(index, block)
  }

  /** A value was measured: it is written once this turn of the event loop is over, or with the next span. */
  touched(): void {
    if (this.isTouched || this.isLeft) return
    this.isTouched = true
    setImmediate(() => {
      if (this.isTouched) this.drain()
    }).unref()
  }

  /** Writes what is new, in one call to the system. */
  drain(): void {
    if (!this.write()) this.failed()
    else if (this.count > ENOUGH || this.writer?.isFull || !this.isOwned()) this.busy()
  }

  private write(): boolean {
    const { reader } = this
    const measured = this.isLeft ? undefined : this.cells
    this.isTouched = false
    if (reader === undefined && measured === undefined) return true
    let writer: LinkWriter | undefined
    try {
      writer = this.open()
      measured?.write(writer)
      if (reader === undefined) {
        writer.flush()
        return true
      }
      const { length } = this.ends
      for (const { pid, reason, time } of this.ends) writer.childEnded(pid, reason, time)
      this.count += reader.drain(writer)
      reader.tellScopes(writer)
      for (const span of reader.open()) {
        if (this.announced[span.slot] === span.mark) continue
        this.announced[span.slot] = span.mark
        writer.opened(span)
      }
      for (const { signal, cause, count } of reader.takeLosses()) writer.lost(cause, count, signal)
      writer.flush()
      this.ends.splice(0, length)
      return true
    } catch (error) {
      debug('link: %s', error)
      this.unsent = writer?.takeUnsent() ?? []
      this.hasFailed = true
      return false
    }
  }

  private open(): LinkWriter {
    this.writer ??= new LinkWriter(this.folder, '0-0', this.resource())
    return this.writer
  }

  /** Whether somebody reads what is written, as far as was seen lately. */
  private isOwned(): boolean {
    const time = performance.now()
    if (time - this.lookedAt < OWNER) return true
    this.lookedAt = time
    const state = ownerState(this.folder)
    return state === 'present' || state === 'leaving'
  }

  /** A child of this process has ended. */
  childEnded(pid: number, reason: string, time: bigint): void {
    this.ends.push({ pid, reason, time })
    if (this.reader !== undefined) {
      this.drain()
      return
    }
    try {
      const writer = this.open()
      writer.childEnded(pid, reason, time)
      writer.flush()
      this.ends.length = 0
    } catch (error) {
      debug('link: %s', error)
    }
  }

  /** The collector thread takes over; this writes no more. */
  handOver(): ThreadEntry | undefined {
    const { entry, reader, unsent } = this
    this.isLeft = true
    this.reader = undefined
    if (this.ring !== undefined) this.ring.opened = undefined
    if (this.hasFailed) this.writer?.abandon()
    else this.writer?.finish()
    this.writer = undefined
    return entry && reader && { ...entry, stream: 1, unsent }
  }

  /**
   * The process ends: what is open is closed.
   * @param deadline Milliseconds of `monotonicNow`.
   * @returns `read`: somebody has it. `orphaned`: it is all in the file, but nobody reads that. `failed`: the ring has to be
   *   handed over.
   */
  finish(reason: string, deadline: number): 'read' | 'orphaned' | 'failed' {
    const { reader } = this
    if (reader === undefined && this.ends.length === 0 && (this.cells === undefined || this.isLeft))
      return 'read'
    if (!this.write()) return 'failed'
    if (reader !== undefined) {
      const writer = this.open()
      const time = unixNano(now())
      for (const { scope, start } of reader.open()) writer.spans(scope, closedSpan(start, time, reason), 1)
      reader.release()
      try {
        writer.flush()
      } catch (error) {
        debug('link: %s', error)
        this.unsent = writer.takeUnsent()
        this.hasFailed = true
        return 'failed'
      }
    }
    return this.isRead(deadline) ? 'read' : 'orphaned'
  }

  /** An owner that is about to leave has perhaps read for the last time: it is waited for. */
  private isRead(deadline: number): boolean {
    const nothing = new Int32Array(new SharedArrayBuffer(4))
    for (;;) {
      const state = ownerState(this.folder)
      if (state !== 'leaving') return state === 'present'
      if (monotonicNow() >= deadline) return true
      Atomics.wait(nothing, 0, 0, LEAVING)
    }
  }
}
