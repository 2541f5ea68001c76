import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RECORD_SCOPE } from './layout.js'
import {
  LINK_DEFINE,
  LINK_ENDED,
  LINK_LOST,
  LINK_OPEN,
  LINK_RESOURCE,
  LINK_SUFFIX,
  linkHeader,
  recordHead,
} from './link-format.js'
import { copyOf, type OpenSpan, type RecordTarget } from './reader.js'

/** Finished spans of one scope that are on their way. */
export interface SpanRun {
  readonly scope: number
  readonly bytes: Uint8Array
  readonly count: number
}

/** Appends only, never follows a link, and never takes a file that is there. */
const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** The writing side, in the descendant. One for each ring that is read there. */
export class LinkWriter implements RecordTarget {
  readonly path: string
  private readonly file: number
  private length = 0
  private current = -1
  private readonly pending: Uint8Array[] = []
  private runs: SpanRun[] = []

  /**
   * @param folder The private folder of the exporting process.
   * @param name Tells the file from those of the process's other threads.
   * @param resource This process's encoded Resource.
   * @throws What the file system says, if the folder is gone: the exporting process has ended.
   */
  constructor(folder: string, name: string, resource: Uint8Array, suffix: string = LINK_SUFFIX) {
    this.path = join(folder, `${process.pid}-${name}${suffix}`)
    this.file = openSync(this.path, FLAGS, 0o600)
    this.pending.push(linkHeader(), recordHead(LINK_RESOURCE, resource.length), resource)
  }

  scope(id: number, encoded: Uint8Array, schemaUrl: string): void {
    const url = Buffer.from(schemaUrl)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt16LE(id)
    head.writeUInt16LE(encoded.length, 2)
    this.pending.push(recordHead(LINK_DEFINE, 4 + encoded.length + url.length), head, encoded, url)
  }

  spans(scope: number, bytes: Uint8Array, count: number): void {
    if (scope !== this.current) {
      this.current = scope
      this.pending.push(recordHead(RECORD_SCOPE, scope))
    }
    const copy = copyOf(bytes)
    this.pending.push(copy)
    this.runs.push({ scope, bytes: copy, count })
  }

  /** A span has started; should this process be killed, its reader closes it. */
  opened({ scope, start }: OpenSpan): void {
    const head = Buffer.allocUnsafe(2)
    head.writeUInt16LE(scope)
    this.pending.push(recordHead(LINK_OPEN, 2 + start.length), head, start)
  }

  /** A child of this process has ended. @param time Nanoseconds since the epoch. */
  childEnded(pid: number, reason: string, time: bigint): void {
    const text = Buffer.from(reason)
    const head = Buffer.allocUnsafe(12)
    head.writeUInt32LE(pid >>> 0)
    head.writeBigUInt64LE(time, 4)
    this.pending.push(recordHead(LINK_ENDED, 12 + text.length), head, text)
  }

  /** Spans were lost before they got here. */
  lost(cause: string, count: number): void {
    const text = Buffer.from(cause)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32LE(count >>> 0)
    this.pending.push(recordHead(LINK_LOST, 4 + text.length), head, text)
  }

  /**
   * Writes what has gathered, in one call where the system allows.
   * @throws What the file system says; nothing of it is in the file then, and `takeUnsent` has the spans.
   */
  flush(): void {
    if (this.pending.length === 0) return
    const bytes = Buffer.concat(this.pending)
    let done = 0
    try {
      while (done < bytes.length) done += writeSync(this.file, bytes, done)
    } catch (error) {
      if (done > 0) ftruncateSync(this.file, this.length)
      throw error
    }
    this.length += done
    this.pending.length = 0
    this.runs = []
  }

  /** The spans that could not be written, for another way. */
  takeUnsent(): SpanRun[] {
    const { runs } = this
    this.runs = []
    this.pending.length = 0
    return runs
  }

  close(): void {
    closeSync(this.file)
  }

  /** Closes the file and takes it away. */
  remove(): void {
    closeSync(this.file)
    try {
      unlinkSync(this.path)
    } catch {
      // Its reader was faster.
    }
  }
}
