import { closeSync, constants, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from '../core/crc32.js'
import { RECORD_SCOPE } from '../ring/layout.js'
import { copyOf, lengthAt, type OpenSpan, type RecordTarget, type Signal } from '../ring/reader.js'
import {
  LEFT_SUFFIX,
  LINK_DEFINE,
  LINK_DONE,
  LINK_ENDED,
  LINK_LOG,
  LINK_LOGS_LOST,
  LINK_LOST,
  LINK_MEASURED,
  LINK_OPEN,
  LINK_RESOURCE,
  LINK_SUFFIX,
  LINK_SUMS,
  linkHeader,
  recordHead,
} from './format.js'

/** Finished spans of one scope that are on their way, or a log record. */
export interface Unsent {
  /** Undefined for a log record, which names its scope itself. */
  readonly scope: number | undefined
  readonly bytes: Uint8Array
  readonly count: number
}

/** Bytes of a file after which its writer goes on in another one. */
const PART = 1 << 20

interface Piece {
  readonly bytes: Uint8Array
  readonly unsent?: Unsent
}

/** Appends only, never follows a link, and never takes a file that is there. */
const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** The writing side, in the descendant. One for each ring that is read there. */
export class LinkWriter implements RecordTarget {
  readonly path: string
  private readonly file: number
  private current = -1
  private pending: Piece[] = []
  /** Bytes of what is pending that got through before writing failed. */
  private done = 0
  /** Bytes of the file, with what is pending. */
  private length = 0
  private part = 0

  /**
   * @param folder The private folder of the exporting process.
   * @param name Tells the file from those of the process's other threads.
   * @param resource This process's encoded Resource.
   * @param isSummed Whether spans are to be checked when they are read: disks forget what pipes do not.
   * @throws What the file system says, if the folder is gone: the exporting process has ended.
   */
  constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly resource: Uint8Array,
    suffix: string = LINK_SUFFIX,
    private readonly isSummed = false,
  ) {
    this.path = join(folder, `${process.pid}-${name}${suffix}`)
    this.file = openSync(this.path, FLAGS, 0o600)
    this.push(linkHeader())
    this.add(recordHead(LINK_RESOURCE, resource.length), resource)
  }

  scope(id: number, encoded: Uint8Array, schemaUrl: string): void {
    const url = Buffer.from(schemaUrl)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt16LE(id)
    head.writeUInt16LE(encoded.length, 2)
    this.add(recordHead(LINK_DEFINE, 4 + encoded.length + url.length), head, encoded, url)
  }

  spans(scope: number, bytes: Uint8Array, count: number): void {
    if (scope !== this.current) {
      this.current = scope
      this.add(recordHead(RECORD_SCOPE, scope))
    }
    const copy = copyOf(bytes)
    if (this.isSummed) this.push(sumsOf(copy, count))
    this.length += copy.length
    this.pending.push({ bytes: copy, unsent: { scope, bytes: copy, count } })
  }

  measured(body: Buffer): void {
    this.record(LINK_MEASURED, copyOf(body))
  }

  logged(body: Buffer): void {
    const bytes = Buffer.concat([recordHead(LINK_LOG, body.length), body])
    if (this.isSummed) this.push(sumsOf(bytes))
    this.length += bytes.length
    this.pending.push({ bytes, unsent: { scope: undefined, bytes: bytes.subarray(4), count: 1 } })
  }

  /** Bytes of the file once all is written. */
  get size(): number {
    return this.length
  }

  /** Whether it is time to go on in another file. */
  get isFull(): boolean {
    return this.length > PART
  }

  /**
   * The file to go on in, where what holds on is to be said anew. This one is to be finished once that is written.
   * @throws As the constructor.
   */
  next(): LinkWriter {
    const part = this.part + 1
    const name = this.name.split('_', 1)[0]!
    const writer = new LinkWriter(this.folder, `${name}_${String(part).padStart(6, '0')}`, this.resource)
    writer.part = part
    return writer
  }

  /** A span has started; should this process be killed, its reader closes it. */
  opened({ scope, start }: OpenSpan): void {
    const head = Buffer.allocUnsafe(2)
    head.writeUInt16LE(scope)
    this.add(recordHead(LINK_OPEN, 2 + start.length), head, start)
  }

  /** A child of this process has ended. @param time Nanoseconds since the epoch. */
  childEnded(pid: number, reason: string, time: bigint): void {
    const text = Buffer.from(reason)
    const head = Buffer.allocUnsafe(12)
    head.writeUInt32LE(pid >>> 0)
    head.writeBigUInt64LE(time, 4)
    this.add(recordHead(LINK_ENDED, 12 + text.length), head, text)
  }

  /** Spans or log records were lost before they got here. */
  lost(cause: string, count: number, signal: Signal): void {
    const text = Buffer.from(cause)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32LE(count >>> 0)
    this.add(recordHead(signal === 'logs' ? LINK_LOGS_LOST : LINK_LOST, 4 + text.length), head, text)
  }

  /** A record of another kind. */
  record(type: number, ...parts: Uint8Array[]): void {
    this.add(
      recordHead(
        type,
        parts.reduce((sum, { length }) => sum + length, 0),
      ),
      ...parts,
    )
  }

  /** One record. */
  private add(...parts: Uint8Array[]): void {
    if (this.isSummed) this.push(sumsOf(Buffer.concat(parts)))
    this.push(...parts)
  }

  private push(...parts: Uint8Array[]): void {
    for (const bytes of parts) {
      this.length += bytes.length
      this.pending.push({ bytes })
    }
  }

  /**
   * Writes what has gathered, in one call where the system allows.
   * @throws What the file system says. The file may end in half a record then, which no reader takes for one, and nothing can be
   *   appended any more; `takeUnsent` has what is not in it.
   */
  flush(): void {
    if (this.pending.length === 0) return
    const bytes = Buffer.concat(this.pending.map((piece) => piece.bytes))
    while (this.done < bytes.length) this.done += writeSync(this.file, bytes, this.done)
    this.pending = []
    this.done = 0
  }

  /** What could not be written, for another way. */
  takeUnsent(): Unsent[] {
    const left: Unsent[] = []
    let start = 0
    for (const { bytes, unsent } of this.pending) {
      if (unsent !== undefined && start + bytes.length > this.done)
        left.push(behind(unsent, this.done - start))
      start += bytes.length
    }
    this.pending = []
    return left
  }

  close(): void {
    closeSync(this.file)
  }

  /** Says that nothing will come any more, and closes the file: its reader may remove it while this process runs. */
  finish(): void {
    try {
      this.add(recordHead(LINK_DONE, 0))
      this.flush()
    } catch {
      // Then it stays until this process has ended.
    }
    this.close()
  }

  /** Closes the file, and says in its name that what it left open will end elsewhere: there may be no room to say it inside. */
  abandon(): void {
    closeSync(this.file)
    try {
      renameSync(this.path, this.path + LEFT_SUFFIX)
    } catch {
      // The folder is gone, and nobody reads it.
    }
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

/** The record of sums before a record of another kind, or before `count` spans. */
function sumsOf(bytes: Uint8Array, count?: number): Buffer {
  const size = 8 * (count ?? 1)
  const record = Buffer.concat([recordHead(LINK_SUMS, size + 4), Buffer.allocUnsafe(size + 4)])
  for (let i = 4, at = 0; i < 4 + size; i += 8) {
    const length = count === undefined ? bytes.length : 4 + lengthAt(bytes, at)
    record.writeUInt32LE(length, i)
    record.writeUInt32LE(crc32(bytes.subarray(at, at + length)), i + 4)
    at += length
  }
  record.writeUInt32LE(crc32(record.subarray(4, 4 + size)), 4 + size)
  return record
}

/** What is left of a run when `done` bytes of it are through: from the first record that is not whole. */
function behind(unsent: Unsent, done: number): Unsent {
  const { scope, bytes, count } = unsent
  if (scope === undefined) return unsent
  let at = 0
  let sent = 0
  for (let size = 4 + lengthAt(bytes, 0); at + size <= done; size = 4 + lengthAt(bytes, at)) {
    at += size
    sent++
  }
  return { scope, bytes: bytes.subarray(at), count: count - sent }
}
