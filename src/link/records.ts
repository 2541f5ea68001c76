/** What the records of a link mean: the stream of bytes of one file, in pieces of any size. */

import { crc32 } from '../core/crc32.js'
import { spanIdIn } from '../ring/closed-span.js'
import { RECORD_SCOPE, RECORD_SPAN } from '../ring/layout.js'
import { lengthAt, type OpenSpan, type RecordTarget, type Signal } from '../ring/reader.js'
import {
  LINK_CELLS,
  LINK_DEFINE,
  LINK_DONE,
  LINK_ENDED,
  LINK_INSTRUMENT,
  LINK_LOG,
  LINK_LOGS_LOST,
  LINK_LOST,
  LINK_MEASURED,
  LINK_OPEN,
  LINK_RESOURCE,
  LINK_SERIES,
  LINK_SUMS,
} from './format.js'
import type { LinkReceipts } from './receipts.js'

/** A record that claims to be longer than this is none. */
const MAX_RECORD = 1 << 22
/** What is kept in mind of one process. */
const MAX_OPEN = 4096
const MAX_SCOPES = 4096
const MAX_TEXT = 512
/** What may come before a process has introduced itself. */
const FIRST = [LINK_RESOURCE, LINK_SUMS]
/** Spans that are handed on in one piece at most. */
const MAX_RUN = 256

/** What a link says beside spans. */
export interface LinkEvents {
  /** Called once, when the process has said what it is. */
  introduced(resource: Uint8Array): RecordTarget
  childEnded(pid: number, reason: string, time: bigint): void
  lost(cause: string, count: number, signal: Signal): void
  /**
   * What the process measures has changed.
   * @param body A view, to be copied before the call returns.
   * @returns Whether it is a record of that type.
   */
  measured?(type: number, body: Buffer): boolean
}

/** A span that has started and not ended, and the file that says so. */
export interface LinkedSpan<Reader> extends OpenSpan {
  readonly reader: Reader
}

/** Understands the records of one file, and hands them on. Whatever they hold, this ends and does not throw. */
export class LinkRecords<Reader> {
  private scope = -1
  private scopes = 0
  private into: RecordTarget | undefined
  private broken = false
  private done = false
  private count = 0
  private seen = 0
  private bad = 0
  /** Of the spans that come next: length and CRC-32, in turn. */
  private sums: number[] = []

  /**
   * @param open Those of the process, by id; kept up to date.
   * @param reader What they are told to be from.
   * @param before Up to where an owner before us has delivered: spans and losses of that part are not handed on again.
   */
  constructor(
    private readonly events: LinkEvents,
    private readonly open: Map<string, LinkedSpan<Reader>>,
    private readonly reader: Reader,
    private readonly receipts: LinkReceipts,
    private readonly before: number,
  ) {}

  /** Whether there was something that is no record; nothing behind it is understood. */
  get isBroken(): boolean {
    return this.broken
  }

  /** Whether the writer has said that it is done with the file. */
  get isDone(): boolean {
    return this.done
  }

  /** Spans and log records that were handed on. */
  get spans(): number {
    return this.count
  }

  /** Spans and log records that were whole, whoever has delivered them. */
  get whole(): number {
    return this.seen
  }

  /** Records that were not what was written. */
  get changed(): number {
    return this.bad
  }

  /** Where spans go; undefined before the process has introduced itself. */
  get target(): RecordTarget | undefined {
    return this.into
  }

  /**
   * @param start Where in the file the bytes begin: with a record.
   * @returns How many bytes were whole records.
   */
  parse(bytes: Buffer, start: number): number {
    let at = 0
    let runStart = 0
    let run = 0
    const flush = (): void => {
      if (run > 0) this.hand(bytes.subarray(runStart, at), run, start + at)
      run = 0
    }
    while (at + 4 <= bytes.length) {
      if (this.sums.length > 0) {
        const [size, sum] = this.sums as [number, number]
        if (at + size > bytes.length) break
        this.sums.splice(0, 2)
        if (crc32(bytes.subarray(at, at + size)) !== sum) {
          // This one alone: how long it is, is known.
          flush()
          this.bad++
          at += size
          continue
        }
      }
      const type = bytes[at]!
      const length =
        type === RECORD_SPAN ? lengthAt(bytes, at) : type === RECORD_SCOPE ? 0 : bytes.readUIntLE(at + 1, 3)
      const end = at + 4 + length
      if (length > MAX_RECORD || (this.into === undefined && !FIRST.includes(type))) {
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
        this.seen++
        if (start + end > this.before) {
          if (run === 0) runStart = at
          run++
        }
        at = end
        if (run === MAX_RUN) flush()
        continue
      }
      flush()
      if (!this.record(type, bytes, at + 4, end, start + end)) {
        this.broken = true
        break
      }
      at = end
    }
    flush()
    return at
  }

  private hand(bytes: Uint8Array, count: number, end: number): void {
    this.count += count
    this.into!.spans(this.scope, bytes, count, this.receipts.make(end))
  }

  /** @param position Where in the file it ends. */
  private record(type: number, bytes: Buffer, body: number, end: number, position: number): boolean {
    // Whether no owner has dealt with it before.
    const fresh = position > this.before
    switch (type) {
      case RECORD_SCOPE:
        this.scope = bytes.readUInt16LE(body - 3)
        return true
      case LINK_DEFINE: {
        if (end - body < 4 || this.scopes++ > MAX_SCOPES) return false
        const size = bytes.readUInt16LE(body + 2)
        if (body + 4 + size > end) return false
        const encoded = Uint8Array.from(bytes.subarray(body + 4, body + 4 + size))
        this.into!.scope(bytes.readUInt16LE(body), encoded, bytes.toString('utf8', body + 4 + size, end))
        return true
      }
      case LINK_OPEN: {
        const id = end - body < 2 ? undefined : spanIdIn(bytes, body + 2, end)
        if (id === undefined || end - body > 2 * MAX_TEXT) return false
        const start = Uint8Array.from(bytes.subarray(body + 2, end))
        if (this.open.size < MAX_OPEN || this.open.has(id))
          this.open.set(id, { scope: bytes.readUInt16LE(body), start, reader: this.reader })
        return true
      }
      case LINK_RESOURCE:
        this.into ??= this.events.introduced(Uint8Array.from(bytes.subarray(body, end)))
        return true
      case LINK_SUMS:
        return this.expect(bytes.subarray(body, end))
      case LINK_ENDED:
        if (end - body < 12 || end - body > MAX_TEXT) return false
        this.events.childEnded(
          bytes.readUInt32LE(body),
          bytes.toString('utf8', body + 12, end),
          bytes.readBigUInt64LE(body + 4),
        )
        return true
      case LINK_LOST:
      case LINK_LOGS_LOST:
        if (end - body < 4 || end - body > MAX_TEXT) return false
        if (fresh) {
          const signal = type === LINK_LOST ? 'spans' : 'logs'
          this.events.lost(bytes.toString('utf8', body + 4, end), bytes.readUInt32LE(body), signal)
        }
        return true
      case LINK_LOG:
        this.seen++
        if (!fresh) return true
        this.count++
        this.into!.logged?.(bytes.subarray(body, end), this.receipts.make(position))
        return true
      case LINK_MEASURED:
        if (fresh) this.into!.measured?.(bytes.subarray(body, end))
        return true
      case LINK_INSTRUMENT:
      case LINK_SERIES:
      case LINK_CELLS:
        return this.events.measured?.(type, bytes.subarray(body, end)) ?? true
      case LINK_DONE:
        this.done = true
        return true
      default:
        return false
    }
  }

  private expect(sums: Buffer): boolean {
    const size = sums.length - 4
    if (size < 8 || size % 8 !== 0 || crc32(sums.subarray(0, size)) !== sums.readUInt32LE(size)) return false
    for (let at = 0; at < size; at += 4) this.sums.push(sums.readUInt32LE(at))
    return true
  }
}
