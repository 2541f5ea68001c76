import { monotonicNow } from '../core/clock.js'
import { CellLink } from '../link/cells.js'
import type { ThreadEntry } from '../link/messages.js'
import { claim, ownerState } from '../link/owner.js'
import { LinkWriter } from '../link/writer.js'
import type { CellSource } from '../metrics/cells.js'
import type { MergedMetrics, MergedSource } from '../metrics/merged.js'
import type { Accounts } from '../ring/accounts.js'
import type { Signal, SlottedSpan } from '../ring/reader.js'
import { type Destination, resume, type ThreadTarget } from './destination.js'

/** Milliseconds between two looks at the rings: less than elsewhere, for what is in the file survives a kill. */
const PACE = 2
/** Milliseconds between two looks at whether the folder's owner is still there, while there is something to write. */
const OWNER = 500
/** Milliseconds between two looks at what was measured, which wakes nobody. */
const MEASURED = 25
/** Milliseconds between two looks at an owner that is about to leave. */
const LEAVING = 5
/** Bytes of the file of what was measured; more where much is measured in. */
const CELL_ROOM = 1 << 20

/** One thread of this process. */
interface Stream {
  writer: LinkWriter | undefined
  /** Where spans go instead, once the link has failed or was inherited. */
  own: ThreadTarget | undefined
  readonly scopes: { id: number; encoded: Uint8Array; schemaUrl: string }[]
  readonly entry: ThreadEntry
}

/**
 * Hands spans on to the process that exports, through files in its folder. Where that process is gone, or its disk is full, this
 * one exports by itself from then on.
 */
export class LinkDestination implements Destination {
  inherited: string | undefined
  private readonly streams = new Set<Stream>()
  /** What is not of one thread. Made when first needed. */
  private remarks: LinkWriter | undefined
  private readonly cells = new CellLink()
  private cellFile: LinkWriter | undefined
  /** Bytes that it may have. */
  private cellRoom = CELL_ROOM
  /** Threads that measure, once that is merged here. */
  private readonly measured = new Map<number, MergedSource>()
  private exporting: Destination | undefined
  private isDirty = false
  private lookedAt = 0

  constructor(
    private readonly folder: string,
    /** This process's encoded Resource. */
    private readonly resource: Uint8Array,
    /** Makes the destination of a process that exports; it counts in `accounts` of its own. */
    private readonly makeExporting: () => Destination,
  ) {}

  thread(entry: ThreadEntry): ThreadTarget {
    const stream: Stream = { writer: undefined, own: undefined, scopes: [], entry }
    this.streams.add(stream)
    let announced: number[] = []
    const target: ThreadTarget = {
      scope: (id, encoded, schemaUrl) => {
        stream.scopes.push({ id, encoded, schemaUrl })
        if (stream.own !== undefined) stream.own.scope(id, encoded, schemaUrl)
        else stream.writer?.scope(id, encoded, schemaUrl)
      },
      spans: (scope, bytes, count) => {
        const writer = this.writerOf(stream)
        if (writer === undefined) stream.own?.spans(scope, bytes, count)
        else writer.spans(scope, bytes, count)
        this.isDirty = true
      },
      measured: (body) => {
        const writer = this.writerOf(stream)
        if (writer === undefined) stream.own?.measured?.(body)
        else writer.measured(body)
        this.isDirty = true
      },
      logged: (body) => {
        const writer = this.writerOf(stream)
        if (writer === undefined) stream.own?.logged?.(body)
        else writer.logged(body)
        this.isDirty = true
      },
      open: (spans: Iterable<SlottedSpan>) => {
        if (stream.writer?.isFull && this.goOn(stream)) announced = []
        for (const span of spans) {
          if (announced[span.slot] === span.mark) continue
          announced[span.slot] = span.mark
          this.writerOf(stream)?.opened(span)
          this.isDirty = true
        }
      },
      resume: (unsent) => resume(target, unsent),
      end: () => {
        this.write(stream)
        stream.writer?.finish()
        stream.own?.end()
        this.streams.delete(stream)
      },
    }
    return target
  }

  measure(thread: number, source: CellSource): MergedSource {
    if (this.exporting !== undefined) return this.exporting.measure(thread, source)
    this.cells.add(thread, source)
    return {
      end: () => {
        const moved = this.measured.get(thread)
        this.measured.delete(thread)
        if (moved !== undefined) return moved.end()
        this.writeCells()
        this.cells.remove(thread)
      },
    }
  }

  measures(resource: Uint8Array): Pick<MergedMetrics, 'add'> | undefined {
    return this.exportHere().measures(resource)
  }

  /** Writes what was measured; it is merged here from now on where that fails. */
  private writeCells(): void {
    if (this.cells.isEmpty || this.exporting !== undefined) return
    try {
      this.cellFile ??= new LinkWriter(this.folder, 'measures', this.resource)
      if (this.cells.write(this.cellFile)) this.isDirty = true
      this.cellFile.flush()
      if (this.cellFile.size > this.cellRoom) this.renewCells(this.cellFile)
    } catch {
      this.exportHere()
    }
  }

  /** Goes on in another file, which begins with all that was measured, of threads that are gone as well. */
  private renewCells(file: LinkWriter): void {
    const next = file.next()
    this.cells.writeAll(next)
    next.flush()
    this.cellFile = next
    this.cellRoom = Math.max(CELL_ROOM, 4 * next.size)
    file.finish()
  }

  process(resource: Uint8Array): ThreadTarget {
    return this.exportHere().process(resource)
  }

  /** The stream's file, made when first needed; undefined when its spans go another way. */
  private writerOf(stream: Stream): LinkWriter | undefined {
    if (stream.writer !== undefined || stream.own !== undefined) return stream.writer
    if (this.exporting === undefined) {
      try {
        stream.writer = new LinkWriter(this.folder, streamName(stream.entry), this.resource)
        for (const { id, encoded, schemaUrl } of stream.scopes) stream.writer.scope(id, encoded, schemaUrl)
        return stream.writer
      } catch {
        this.exportHere()
      }
    }
    this.redirect(stream)
    return undefined
  }

  /** Goes on in another file; what is open is announced there anew. @returns Whether there is one. */
  private goOn(stream: Stream): boolean {
    this.write(stream)
    const { writer } = stream
    try {
      if (writer === undefined) return false
      stream.writer = writer.next()
      for (const { id, encoded, schemaUrl } of stream.scopes) stream.writer.scope(id, encoded, schemaUrl)
      writer.finish()
      return true
    } catch {
      // It goes on where it is, as long as that can be written.
      return false
    }
  }

  /** From now on the stream's spans are exported here. */
  private redirect(stream: Stream): void {
    if (stream.own !== undefined) return
    stream.own = this.exportHere().thread(stream.entry)
    for (const { id, encoded, schemaUrl } of stream.scopes) stream.own.scope(id, encoded, schemaUrl)
    const unsent = stream.writer?.takeUnsent() ?? []
    stream.writer?.abandon()
    stream.writer = undefined
    stream.own.resume?.(unsent)
  }

  private exportHere(): Destination {
    if (this.exporting === undefined) {
      this.exporting = this.makeExporting()
      this.cellFile?.abandon()
      for (const [thread, source] of this.cells.take())
        this.measured.set(thread, this.exporting.measure(thread, source))
    }
    return this.exporting
  }

  private write(stream: Stream): void {
    try {
      stream.writer?.flush()
    } catch {
      // The folder's owner is gone or its disk is full; the application must not notice.
      this.redirect(stream)
    }
  }

  childEnded(pid: number, reason: string, time: bigint): void {
    this.remark((writer) => writer.childEnded(pid, reason, time))
  }

  lost(cause: string, count: number, signal: Signal): void {
    if (this.exporting === undefined && this.remark((writer) => writer.lost(cause, count, signal))) return
    this.exportHere().lost(cause, count, signal)
  }

  private remark(say: (writer: LinkWriter) => void): boolean {
    try {
      this.remarks ??= new LinkWriter(this.folder, 'remarks', this.resource)
      say(this.remarks)
      this.remarks.flush()
      if (this.remarks.isFull) {
        const full = this.remarks
        this.remarks = full.next()
        full.finish()
      }
      return true
    } catch {
      return false
    }
  }

  readonly pace = PACE

  get due(): number {
    return this.exporting?.due ?? (this.cells.isEmpty ? Number.POSITIVE_INFINITY : MEASURED)
  }

  settle(): void {
    for (const stream of this.streams) this.write(stream)
    this.writeCells()
    if (this.isDirty && this.exporting === undefined && performance.now() - this.lookedAt > OWNER) this.look()
    this.exporting?.settle()
  }

  /** Takes the folder over if its owner is gone. @returns Whether somebody else will still read it. */
  private look(): boolean {
    this.isDirty = false
    this.lookedAt = performance.now()
    const state = ownerState(this.folder)
    if (state === 'present') return true
    if (state === 'leaving') {
      this.isDirty = true
      return false
    }
    const isOurs = state === 'gone' && claim(this.folder)
    // Another heir was faster.
    if (state === 'gone' && !isOurs) return ownerState(this.folder) === 'present'
    if (isOurs) this.inherited = this.folder
    this.exportHere()
    for (const stream of this.streams) this.redirect(stream)
    this.remarks?.finish()
    this.remarks = undefined
    return true
  }

  async conclude(deadline: number): Promise<void> {
    for (const stream of this.streams) this.write(stream)
    this.writeCells()
    while (this.exporting === undefined && !this.look() && monotonicNow() < deadline)
      await new Promise((resolve) => setTimeout(resolve, LEAVING))
  }

  async flush(deadline: number, final: boolean): Promise<void> {
    for (const stream of this.streams) this.write(stream)
    this.writeCells()
    await this.exporting?.flush(deadline, final)
  }

  /** Of what is exported here; what was written to the link is the owner's to account for. */
  get accounts(): Accounts | undefined {
    return this.exporting?.accounts
  }
}

/** A stream begins anew with each collector, and with each reader of a ring. */
function streamName({ thread, stream = 0 }: ThreadEntry): string {
  return `${thread}-${stream}`
}
