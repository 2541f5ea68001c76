/** The reading side of a link. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
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
  /** Undefined while it rests. */
  private descriptor: number | undefined
  private readonly inode: number
  /** Where the next byte to read lies. */
  private position = LINK_HEADER
  /** Where the records end that were dealt with. */
  private parsed = LINK_HEADER
  /** Read, but no whole record yet. */
  private partial: Buffer = Buffer.alloc(0)
  private readonly receipts: LinkReceipts
  private readonly records: LinkRecords<LinkReader>
  private failed = false
  private denied = false
  private behind = false
  private written: number

  /**
   * @param location A file that a LinkWriter has made.
   * @param open Those of the process; kept up to date.
   * @throws When it is not there, not a plain file, or not of this format.
   */
  constructor(
    private location: string,
    events: LinkEvents,
    open: OpenSpans,
  ) {
    this.file = basename(location)
    this.pid = Number.parseInt(this.file, 10)
    this.descriptor = openSync(location, READ_WRITE)
    const { ino, acknowledged } = headerOf(this.descriptor)
    if (acknowledged === undefined) {
      this.rest()
      throw new Error('not a link file')
    }
    this.inode = ino
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
    return this.location.endsWith(LEFT_SUFFIX) || existsSync(this.location + LEFT_SUFFIX)
  }

  /** Whether the writer has said that nothing comes any more, and all was read. */
  get isDone(): boolean {
    return this.records.isDone && !this.behind && !this.isBroken
  }

  /** Whether there was more than the last reading took, or could take. */
  get isBehind(): boolean {
    return this.behind
  }

  /** Whether the system refused to let it be read: there was no descriptor, or the process is another user now. */
  get isDenied(): boolean {
    return this.denied
  }

  /** Whether it holds a descriptor. */
  get isHeld(): boolean {
    return this.descriptor !== undefined
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
    this.behind = this.denied = false
    for (let visited = 0; !this.isBroken; ) {
      let size = 0
      let buffer: Buffer
      try {
        const left = this.size() - this.position
        if (left <= 0) return visited > 0
        if (!all && visited >= VISIT) {
          this.behind = true
          break
        }
        buffer = Buffer.allocUnsafe(Math.min(READ, left))
        size = readSync(this.hold(), buffer, 0, buffer.length, this.position)
      } catch (error) {
        this.denied = this.behind = isDenied(error)
        this.failed = !this.denied
        break
      }
      if (size === 0) return visited > 0
      visited += size
      const start = this.position - this.partial.length
      this.position += size
      const fresh = buffer.subarray(0, size)
      const bytes = this.partial.length > 0 ? Buffer.concat([this.partial, fresh]) : fresh
      const used = this.records.parse(bytes, start)
      this.partial = Buffer.from(bytes.subarray(used))
      this.parsed = start + used
      this.receipts.advance(this.parsed)
    }
    return !this.isBroken && !this.denied
  }

  /** How long the file is. One that rests is not opened for that. */
  private size(): number {
    if (this.descriptor !== undefined) return fstatSync(this.descriptor).size
    const stat = lstatSync(this.location, { throwIfNoEntry: false })
    if (stat !== undefined) return stat.size
    // Its writer has renamed it.
    this.location += LEFT_SUFFIX
    return lstatSync(this.location).size
  }

  /** Its descriptor. @throws When there is none to be had, or the file is another one. */
  private hold(): number {
    if (this.descriptor !== undefined) return this.descriptor
    this.descriptor = openSync(this.location, READ_WRITE)
    if (headerOf(this.descriptor).ino === this.inode) return this.descriptor
    this.rest()
    throw new Error('another file')
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
    const { isHeld } = this
    try {
      writeSync(this.hold(), bytes, 0, 8, ACKNOWLEDGED_AT)
    } catch {
      // An heir would deliver a part of it once more.
    }
    if (!isHeld) this.rest()
  }

  /** Gives the descriptor back until there is something to read: the process may need it. */
  rest(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor)
    this.descriptor = undefined
  }

  /** The file is read no more, and removed. */
  remove(): void {
    this.rest()
    for (const path of [this.location, this.location + LEFT_SUFFIX]) {
      try {
        unlinkSync(path)
      } catch {
        // It has the other name, or somebody tidied up first.
      }
    }
  }
}

/** Whether the system refuses what is there: the process has another user than it had, or no descriptor left. */
export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Which file it is, and up to where it was delivered; undefined when it is no plain file of this user, or no link. */
function headerOf(descriptor: number): { readonly ino: number; readonly acknowledged: number | undefined } {
  const stat = fstatSync(descriptor)
  const { ino, uid } = stat
  const head = Buffer.alloc(LINK_HEADER)
  const isOurs = stat.isFile() && (process.geteuid === undefined || uid === process.geteuid())
  const isWhole = isOurs && readSync(descriptor, head, 0, LINK_HEADER, 0) === LINK_HEADER
  return { ino, acknowledged: isWhole ? acknowledgedIn(head) : undefined }
}
