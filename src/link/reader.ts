/** The reading side of a link. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename } from 'node:path'
import type { RecordTarget } from '../ring/reader.js'
import { ACKNOWLEDGED_AT, acknowledgedIn, LEFT_SUFFIX, LINK_HEADER } from './format.js'
import { LinkReceipts } from './receipts.js'
import { type LinkEvents, type LinkedSpan, LinkRecords } from './records.js'

/** Bytes that are read of a file at a time, and at most in one visit: others wait for their turn. */
const READ = 1 << 20
const VISIT = 8 << 20
const READ_WRITE = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * The spans of one process that have started and not ended, by id. Its files share them: what one says has started, another may
 * say has ended, when a collector thread went on with what the main thread had begun.
 */
export type OpenSpans = Map<string, LinkedSpan<LinkReader>>

/** The reading side, for one file. Whatever the file holds, reading it ends and does not throw. */
export class LinkReader {
  readonly pid: number
  /** Its name within the folder. */
  readonly file: string
  private readonly descriptor: number
  /** Where the next byte to read lies. */
  private position = LINK_HEADER
  /** Where the records end that were dealt with. */
  private parsed = LINK_HEADER
  /** Read, but no whole record yet. */
  private rest: Buffer = Buffer.alloc(0)
  private readonly receipts: LinkReceipts
  private readonly records: LinkRecords<LinkReader>
  private failed = false
  /** Whether it holds no descriptor for the time being. */
  private isParked = false
  private written: number

  /**
   * @param path A file that a LinkWriter has made.
   * @param open Those of the process; kept up to date.
   * @throws When it is not there, not a plain file, or not of this format.
   */
  constructor(
    readonly path: string,
    events: LinkEvents,
    open: OpenSpans,
  ) {
    this.file = basename(path)
    this.pid = Number.parseInt(this.file, 10)
    this.descriptor = openSync(path, READ_WRITE)
    const acknowledged = acknowledgedOf(this.descriptor)
    if (acknowledged === undefined) {
      closeSync(this.descriptor)
      throw new Error('not a link file')
    }
    this.receipts = new LinkReceipts(acknowledged)
    this.records = new LinkRecords<LinkReader>(events, open, this, this.receipts, acknowledged)
    this.written = acknowledged
  }

  /** Whether the file holds something that is no record, or cannot be read; nothing behind it is. */
  get isBroken(): boolean {
    return this.failed || this.records.isBroken
  }

  /** Whether the writer has found another way for what it has not written here. */
  get isLeft(): boolean {
    return this.file.endsWith(LEFT_SUFFIX) || existsSync(this.path + LEFT_SUFFIX)
  }

  /** Spans that were handed on. */
  get spans(): number {
    return this.records.spans
  }

  /** Spans that were whole, whoever has delivered them. */
  get whole(): number {
    return this.records.whole
  }

  /** Records that were not what was written; only of a file with sums. */
  get changed(): number {
    return this.records.changed
  }

  /** Whether all that was handed on has been delivered or dropped for good. */
  get isSettled(): boolean {
    return this.receipts.isSettled
  }

  /** Where closed spans go; undefined before the process has introduced itself. */
  get output(): RecordTarget | undefined {
    return this.records.target
  }

  /**
   * Reads what has been appended, whole records only.
   * @param all Else no more than a few megabytes.
   * @returns Whether there was anything.
   */
  read(all = false): boolean {
    if (this.isParked) return false
    for (let visited = 0; !this.isBroken && (all || visited < VISIT); ) {
      let size = 0
      let buffer: Buffer
      try {
        const left = fstatSync(this.descriptor).size - this.position
        if (left <= 0) return visited > 0
        buffer = Buffer.allocUnsafe(Math.min(READ, left))
        size = readSync(this.descriptor, buffer, 0, buffer.length, this.position)
      } catch {
        this.failed = true
        break
      }
      if (size === 0) return visited > 0
      visited += size
      const start = this.position - this.rest.length
      this.position += size
      const fresh = buffer.subarray(0, size)
      const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, fresh]) : fresh
      const used = this.records.parse(bytes, start)
      this.rest = Buffer.from(bytes.subarray(used))
      this.parsed = start + used
      this.receipts.advance(this.parsed)
    }
    return !this.isBroken
  }

  /** A receipt for spans that stand for what lies at the end of the file. */
  receiptAtEnd(): () => void {
    return this.receipts.make(this.parsed)
  }

  /** Notes in the file how far its content has been delivered. */
  acknowledge(): void {
    const { acknowledged } = this.receipts
    if (acknowledged === this.written) return
    this.written = acknowledged
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigUInt64LE(BigInt(acknowledged))
    try {
      const descriptor = this.isParked ? openSync(this.path, READ_WRITE) : this.descriptor
      writeSync(descriptor, bytes, 0, 8, ACKNOWLEDGED_AT)
      if (this.isParked) closeSync(descriptor)
    } catch {
      // An heir would deliver a part of it once more.
    }
  }

  /** Gives the descriptor back: the file has been read for the last time, and the process may have no other. */
  park(): void {
    if (this.isParked) return
    this.isParked = true
    closeSync(this.descriptor)
  }

  /** The file is read no more. */
  close(): void {
    if (!this.isParked) closeSync(this.descriptor)
  }

  /** The file is read no more, and removed. */
  remove(): void {
    this.close()
    for (const path of [this.path, this.path + LEFT_SUFFIX]) {
      try {
        unlinkSync(path)
      } catch {
        // It has the other name, or somebody tidied up first.
      }
    }
  }
}

/** Up to where a file was delivered; undefined when it is no plain file of this user, or no link. */
function acknowledgedOf(descriptor: number): number | undefined {
  const stat = fstatSync(descriptor)
  if (!stat.isFile() || (process.geteuid !== undefined && stat.uid !== process.geteuid())) return undefined
  const head = Buffer.alloc(LINK_HEADER)
  return readSync(descriptor, head, 0, LINK_HEADER, 0) === LINK_HEADER ? acknowledgedIn(head) : undefined
}
