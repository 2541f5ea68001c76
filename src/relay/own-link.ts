/**
 * How a descendant hands its main thread's spans on while it is small: written to the exporting process's folder by the
 * thread itself, as they end. A short-lived child pays for no thread and no connection; one that turns out busy gets its
 * collector thread, which goes on where this has stopped.
 */
import { now, unixNano } from '../core/clock.js'
import { debug } from '../core/log.js'
import { closedSpan } from './closed-span.js'
import { LinkWriter } from './link.js'
import type { ThreadEntry } from './messages.js'
import { copyOf, type KnownScope, RingReader } from './reader.js'
import type { Ring } from './ring.js'

/** Spans that are written one by one before a thread of its own is worth it: about what that thread's start costs. */
const ENOUGH = 1000

export class OwnLink {
  private reader: RingReader | undefined
  private entry: ThreadEntry | undefined
  private writer: LinkWriter | undefined
  private readonly scopes = new Map<number, KnownScope>()
  private count = 0
  private readonly announced: number[] = []

  /**
   * @param folder The exporting process's folder.
   * @param resource This process's encoded Resource, asked for once.
   * @param busy Called when a thread of its own is worth it.
   */
  constructor(
    private readonly folder: string,
    private readonly resource: () => Uint8Array,
    private readonly busy: () => void,
  ) {}

  /** The ring to read, before anything is written to it. */
  read(entry: ThreadEntry, ring: Ring): void {
    this.entry = entry
    this.reader = new RingReader(entry.memory)
    ring.opened = () => this.drain()
  }

  /** Writes what is new, in one call to the system. */
  drain(): void {
    if (this.reader === undefined) return
    try {
      this.writer ??= new LinkWriter(this.folder, '0', this.resource())
      const { writer } = this
      this.count += this.reader.drain({
        scope: (id, encoded, schemaUrl) => {
          this.scopes.set(id, { encoded: copyOf(encoded), schemaUrl })
          writer.scope(id, encoded, schemaUrl)
        },
        spans: (scope, bytes, count) => writer.spans(scope, bytes, count),
      })
      for (const span of this.reader.open()) {
        if (this.announced[span.slot] === span.mark) continue
        this.announced[span.slot] = span.mark
        writer.opened(span)
      }
      writer.flush()
    } catch (error) {
      debug('link: %s', error)
      this.busy()
      return
    }
    if (this.count > ENOUGH) this.busy()
  }

  /** The collector thread takes over; this writes no more. */
  handOver(): ThreadEntry | undefined {
    if (this.entry === undefined || this.reader === undefined) return undefined
    this.reader = undefined
    return { ...this.entry, scopes: this.scopes }
  }

  /** The process ends: what is open is closed. */
  finish(reason: string): void {
    if (this.reader === undefined) return
    this.drain()
    const { reader, writer } = this
    if (reader === undefined || writer === undefined) return
    const time = unixNano(now())
    for (const { scope, start } of reader.open()) writer.spans(scope, closedSpan(start, time, reason), 1)
    try {
      writer.flush()
    } catch (error) {
      debug('link: %s', error)
    }
  }
}
