/**
 * Hands each value that was measured to surfacers: the telemetry thread finds out which transaction it belongs to and when that has ended,
 * and tells those who call surfacers, in threads of theirs.
 */
import { now } from '../core/clock.js'
import type { Measurement, TransactionScope } from '../metrics/measurement.js'
import { readMeasurement } from '../metrics/measurement.js'
import type { SurfacerEvent } from '../metrics/surfacer.js'
import { decodeSpan } from '../otlp/decode.js'
import { spanIdIn } from '../ring/closed-span.js'
import { lengthAt } from '../ring/reader.js'

/** Where events go: a thread that calls surfacers. */
export interface SurfacerOutlet {
  /** Events that it has not dealt with yet. */
  readonly waiting: number
  /** @returns Whether there is anybody to be told. */
  send(events: readonly SurfacerEvent[]): boolean
  /** Nothing comes any more. @param deadline Milliseconds of `monotonicNow`. */
  close(deadline: number): Promise<void>
}

/** Events that one outlet may have before it; it is left out of what is more. */
const MOST_WAITING = 100_000
/** Events of one message. */
const MOST_EVENTS = 1000
/** Transactions that are open at once, and ended ones that are kept in mind. */
const MOST_OPEN = 10_000
const MOST_ENDED = 10_000
/** Milliseconds for which what descendants have written may not have been read yet. */
const DESCENDANTS = 75
/** Milliseconds after which what came late for a transaction is flushed. */
const LATE = 1000

interface Ending {
  readonly transaction: TransactionScope
  /** The look at the rings in which it was found, and when it was. */
  readonly look: number
  readonly time: number
}

export class Surfacing {
  private readonly open = new Map<string, TransactionScope>()
  private readonly ended = new Map<string, TransactionScope>()
  /** Late ones, and when they are to be flushed. */
  private readonly late = new Map<string, { readonly transaction: TransactionScope; readonly due: number }>()
  private endings: Ending[] = []
  private readonly endingIds = new Set<string>()
  private events: SurfacerEvent[] = []
  private looks = 0
  private hasDescendants = false

  /**
   * @param lost Called with the number of events that an outlet did not get.
   * @param tell Called once, at the end: says what was lost.
   */
  constructor(
    private readonly outlets: readonly SurfacerOutlet[],
    private readonly lost: (count: number) => void,
    private readonly tell: () => void,
  ) {}

  /** Descendants measure as well: what they write is read a little later. */
  expectDescendants(): void {
    this.hasDescendants = true
  }

  /** @param body A record, as `readMeasurement` takes it. */
  measured(body: Buffer): void {
    const read = readMeasurement(body)
    if (read !== undefined) this.record(read)
  }

  private record(read: Omit<Measurement, 'isLate'>): void {
    const { transaction } = read
    let isLate = false
    if (transaction !== undefined && !this.open.has(transaction.id)) {
      isLate = this.ended.has(transaction.id)
      if (isLate) this.expectLate(transaction)
      else this.begin(transaction)
    }
    this.push({ type: 'record', measurement: { ...read, transaction: this.named(transaction), isLate } })
  }

  /** Not every way that a message takes has room for the name. */
  private named(transaction: TransactionScope | undefined): TransactionScope | undefined {
    if (transaction?.name !== '') return transaction
    const { id } = transaction
    return this.open.get(id) ?? this.ended.get(id) ?? transaction
  }

  private begin(transaction: TransactionScope): void {
    if (this.open.size >= MOST_OPEN) this.flush(this.open.values().next().value!)
    this.open.set(transaction.id, transaction)
    this.push({ type: 'clear', transaction })
  }

  private expectLate(transaction: TransactionScope): void {
    if (this.late.has(transaction.id)) return
    this.late.set(transaction.id, { transaction, due: now() + LATE })
    this.push({ type: 'clear', transaction })
  }

  /** Spans have ended: the local roots of transactions may be among them. */
  spans(bytes: Uint8Array): void {
    if (this.open.size === 0) return
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < buffer.length; ) {
      const end = at + 4 + lengthAt(buffer, at)
      const id = spanIdIn(buffer, at + 4, end)
      const transaction = id === undefined ? undefined : this.open.get(id)
      if (transaction !== undefined && !this.endingIds.has(transaction.id))
        this.end(transaction, buffer, at + 4, end)
      at = end
    }
  }

  private end(transaction: TransactionScope, bytes: Buffer, start: number, end: number): void {
    this.endingIds.add(transaction.id)
    // As it is called by now.
    const { name } = decodeSpan(Buffer.from(bytes.subarray(start, end)))
    this.endings.push({ transaction: { ...transaction, name }, look: this.looks, time: now() })
  }

  /**
   * All rings have been looked at once more.
   * @param all Descendants' files have been looked at as well, and twice.
   */
  settle(all = false): void {
    this.looks++
    if (this.endings.length === 0 && this.late.size === 0) {
      this.send()
      return
    }
    const time = now()
    const patience = this.hasDescendants && !all ? DESCENDANTS : 0
    // What was measured before a transaction ended was written before its span: it has been read one look later at the latest.
    const isOver = ({ look, time: since }: Ending): boolean =>
      look + 1 < this.looks && time - since >= patience
    const over = this.endings.filter(isOver)
    if (over.length > 0) this.endings = this.endings.filter((ending) => !over.includes(ending))
    for (const { transaction } of over) this.flush(transaction)
    for (const [id, { transaction, due }] of this.late) {
      if (due > time && !all) continue
      this.late.delete(id)
      this.push({ type: 'flush', transaction })
    }
    this.send()
  }

  private flush(transaction: TransactionScope): void {
    this.open.delete(transaction.id)
    this.endingIds.delete(transaction.id)
    if (this.ended.size >= MOST_ENDED) this.ended.delete(this.ended.keys().next().value!)
    this.ended.set(transaction.id, transaction)
    this.push({ type: 'flush', transaction })
  }

  private push(event: SurfacerEvent): void {
    this.events.push(event)
    if (this.events.length >= MOST_EVENTS) this.send()
  }

  private send(): void {
    const { events } = this
    if (events.length === 0) return
    this.events = []
    for (const outlet of this.outlets) {
      if (outlet.waiting > MOST_WAITING || !outlet.send(events)) this.lost(events.length)
    }
  }

  /** Milliseconds until something is to be done; `Infinity` where nothing is. */
  get due(): number {
    if (this.endings.length > 0) return 1
    let due = Number.POSITIVE_INFINITY
    for (const late of this.late.values()) due = Math.min(due, Math.max(1, late.due - now()))
    return due
  }

  /** The process ends, and with it what has not ended yet. @param deadline Milliseconds of `monotonicNow`. */
  async close(deadline: number): Promise<void> {
    for (const { transaction } of this.endings.splice(0)) this.flush(transaction)
    for (const transaction of [...this.open.values()]) this.flush(transaction)
    for (const { transaction } of this.late.values()) this.push({ type: 'flush', transaction })
    this.late.clear()
    this.send()
    await Promise.all(this.outlets.map((outlet) => outlet.close(deadline)))
    this.tell()
  }
}
