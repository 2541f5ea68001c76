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
import { spanIdIn } from './closed-span.js'
import { RECORD_SCOPE, RECORD_SPAN } from './layout.js'
import {
  ACKNOWLEDGED_AT,
  acknowledgedIn,
  LEFT_SUFFIX,
  LINK_DEFINE,
  LINK_ENDED,
  LINK_HEADER,
  LINK_LOST,
  LINK_OPEN,
  LINK_RESOURCE,
} from './link-format.js'
import { lengthAt, type OpenSpan, type RecordTarget } from './reader.js'

/** Bytes that are read of a file at a time, and at most in one visit: others wait for their turn. */
const READ = 1 << 20
const VISIT = 8 << 20
/** A record that claims to be longer than this is none. */
const MAX_RECORD = 1 << 22
/** What is kept in mind of one process. */
const MAX_OPEN = 4096
const MAX_SCOPES = 4096
const MAX_TEXT = 512
/** Spans that are handed on in one piece at most. */
const MAX_RUN = 256

/** What a link says beside spans. */
export interface LinkEvents {
  /** Called once, when the process has said what it is. */
  introduced(resource: Uint8Array): RecordTarget
  childEnded(pid: number, reason: string, time: bigint): void
  lost(cause: string, count: number): void
}

/**
 * The spans of one process that have started and not ended, by id. Its files share them: what one says has started, another may
 * say has ended, when a collector thread went on with what the main thread had begun.
 */
export type OpenSpans = Map<string, OpenSpan & { readonly reader: LinkReader }>

interface Receipt {
  readonly end: number
  settled: boolean
}

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
  private rest: Buffer = Buffer.alloc(0)
  private scope = -1
  private scopes = 0
  private target: RecordTarget | undefined
  private broken = false
  /** What an owner before us has delivered is not handed on again. */
  private readonly before: number
  private receipts: Receipt[] = []
  private acknowledged: number
  private written: number
  private count = 0

  /**
   * @param path A file that a LinkWriter has made.
   * @param open Those of the process; kept up to date.
   * @throws When it is not there, not a plain file, or not of this format.
   */
  constructor(
    readonly path: string,
    private readonly events: LinkEvents,
    private readonly open: OpenSpans,
  ) {
    this.file = basename(path)
    this.pid = Number.parseInt(this.file, 10)
    this.descriptor = openSync(
      path,
      constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
    const head = Buffer.alloc(LINK_HEADER)
    const stat = fstatSync(this.descriptor)
    const isOurs = process.geteuid === undefined || stat.uid === process.geteuid()
    const isRead =
      stat.isFile() && isOurs && readSync(this.descriptor, head, 0, LINK_HEADER, 0) === LINK_HEADER
    const acknowledged = isRead ? acknowledgedIn(head) : undefined
    if (acknowledged === undefined) {
      closeSync(this.descriptor)
      throw new Error('not a link file')
    }
    this.before = acknowledged
    this.acknowledged = acknowledged
    this.written = acknowledged
  }

  /** Whether the file holds something that is no record; nothing behind it is read. */
  get isBroken(): boolean {
    return this.broken
  }

  /** Whether the writer has found another way for what it has not written here. */
  get isLeft(): boolean {
    return this.file.endsWith(LEFT_SUFFIX) || existsSync(this.path + LEFT_SUFFIX)
  }

  /** Spans that were handed on. */
  get spans(): number {
    return this.count
  }

  /** Whether all that was handed on has been delivered or dropped for good. */
  get isSettled(): boolean {
    return this.receipts.length === 0
  }

  /** Where closed spans go; undefined before the process has introduced itself. */
  get output(): RecordTarget | undefined {
    return this.target
  }

  /**
   * Reads what has been appended, whole records only.
   * @param all Else no more than a few megabytes.
   * @returns Whether there was anything.
   */
  read(all = false): boolean {
    for (let visited = 0; !this.broken && (all || visited < VISIT); ) {
      let size = 0
      let buffer: Buffer
      try {
        const left = fstatSync(this.descriptor).size - this.position
        if (left <= 0) return visited > 0
        buffer = Buffer.allocUnsafe(Math.min(READ, left))
        size = readSync(this.descriptor, buffer, 0, buffer.length, this.position)
      } catch {
        this.broken = true
        break
      }
      if (size === 0) return visited > 0
      visited += size
      const start = this.position - this.rest.length
      this.position += size
      const fresh = buffer.subarray(0, size)
      const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, fresh]) : fresh
      const used = this.parse(bytes, start)
      this.rest = Buffer.from(bytes.subarray(used))
      this.parsed = start + used
      this.advance()
    }
    return !this.broken
  }

  /** Without spans on their way, what has been read is done with. */
  private advance(): void {
    if (this.receipts.length === 0) this.acknowledged = Math.max(this.acknowledged, this.parsed)
  }

  /** @returns How many bytes were whole records. */
  private parse(bytes: Buffer, start: number): number {
    let at = 0
    let runStart = 0
    let run = 0
    const flush = (): void => {
      if (run > 0) this.hand(bytes.subarray(runStart, at), run, start + at)
      run = 0
    }
    while (at + 4 <= bytes.length) {
      const type = bytes[at]!
      const length =
        type === RECORD_SPAN ? lengthAt(bytes, at) : type === RECORD_SCOPE ? 0 : bytes.readUIntLE(at + 1, 3)
      const end = at + 4 + length
      if (length > MAX_RECORD || (this.target === undefined && type !== LINK_RESOURCE)) {
        this.broken = true
        break
      }
      if (end > bytes.length) break
      if (type === RECORD_SPAN) {
        const id = spanIdIn(bytes, at + 4, end)
        if (id === undefined || this.scope < 0) {
          this.broken = true
          break
        }
        this.open.delete(id)
        if (start + end > this.before) {
          if (run === 0) runStart = at
          run++
        }
        at = end
        if (run === MAX_RUN) flush()
        continue
      }
      flush()
      if (!this.record(type, bytes, at + 4, end, start + end > this.before)) {
        this.broken = true
        break
      }
      at = end
    }
    flush()
    return at
  }

  private hand(bytes: Uint8Array, count: number, end: number): void {
    const receipt: Receipt = { end, settled: false }
    this.receipts.push(receipt)
    this.count += count
    this.target!.spans(this.scope, bytes, count, () => this.settle(receipt))
  }

  private settle(receipt: Receipt): void {
    receipt.settled = true
    let done = 0
    while (done < this.receipts.length && this.receipts[done]!.settled) done++
    if (done === 0) return
    this.acknowledged = this.receipts[done - 1]!.end
    this.receipts = this.receipts.slice(done)
    this.advance()
  }

  /** @param fresh Whether no owner has dealt with this before. */
  private record(type: number, bytes: Buffer, body: number, end: number, fresh: boolean): boolean {
    switch (type) {
      case RECORD_SCOPE:
        this.scope = bytes.readUInt16LE(body - 3)
        return true
      case LINK_DEFINE: {
        if (end - body < 4 || this.scopes++ > MAX_SCOPES) return false
        const size = bytes.readUInt16LE(body + 2)
        if (body + 4 + size > end) return false
        const encoded = Uint8Array.from(bytes.subarray(body + 4, body + 4 + size))
        this.target!.scope(bytes.readUInt16LE(body), encoded, bytes.toString('utf8', body + 4 + size, end))
        return true
      }
      case LINK_OPEN: {
        const id = end - body < 2 ? undefined : spanIdIn(bytes, body + 2, end)
        if (id === undefined || end - body > 2 * MAX_TEXT) return false
        const start = Uint8Array.from(bytes.subarray(body + 2, end))
        if (this.open.size < MAX_OPEN)
          this.open.set(id, { scope: bytes.readUInt16LE(body), start, reader: this })
        return true
      }
      case LINK_RESOURCE:
        this.target ??= this.events.introduced(Uint8Array.from(bytes.subarray(body, end)))
        return true
      case LINK_ENDED:
        if (end - body < 12 || end - body > MAX_TEXT) return false
        this.events.childEnded(
          bytes.readUInt32LE(body),
          bytes.toString('utf8', body + 12, end),
          bytes.readBigUInt64LE(body + 4),
        )
        return true
      case LINK_LOST:
        if (end - body < 4 || end - body > MAX_TEXT) return false
        if (fresh) this.events.lost(bytes.toString('utf8', body + 4, end), bytes.readUInt32LE(body))
        return true
      default:
        return false
    }
  }

  /** A receipt for spans that stand for what lies at the end of the file. */
  receiptAtEnd(): () => void {
    const receipt: Receipt = { end: this.parsed, settled: false }
    this.receipts.push(receipt)
    return () => this.settle(receipt)
  }

  /** Notes in the file how far its content has been delivered. */
  acknowledge(): void {
    if (this.acknowledged === this.written) return
    this.written = this.acknowledged
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigUInt64LE(BigInt(this.acknowledged))
    try {
      writeSync(this.descriptor, bytes, 0, 8, ACKNOWLEDGED_AT)
    } catch {
      // An heir would deliver a part of it once more.
    }
  }

  /** The file is read no more. */
  close(): void {
    closeSync(this.descriptor)
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
