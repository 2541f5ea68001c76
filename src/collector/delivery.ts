import type { BatchConfig } from '../config/config.js'
import { monotonicNow } from '../core/clock.js'
import { countOf, type Exporter, type ExportResult } from '../export/exporter.js'
import { type Accounts, SPOOLED, type Stage } from '../ring/accounts.js'
import type { Signal } from '../ring/reader.js'
import { Outbox, type OutboxScope, type Parcel, type ProcessQueue } from './outbox.js'
import type { Spool } from './spool.js'

/** Spans or log records, and bytes, of one export request, unless the environment says otherwise. */
const BATCH_COUNT = 8192
export const BATCH_BYTES = 4 << 20
/** Bytes that wait for an endpoint to come back. */
const QUEUE_BYTES = 64 << 20
/** Milliseconds that the first ones after a silence wait for others: what a killed process loses is what waits. */
const EARLY = 200
/** Milliseconds before the deadline at which requests are given up, so that there is time to take note. */
const LAST = 50

const ALL = Number.POSITIVE_INFINITY

/** Exports one signal in batches, one request at a time, and keeps its accounts. */
export class Delivery {
  private readonly outbox: Outbox
  private readonly batchCount: number
  private readonly delay: number
  private running: Promise<void> | undefined
  private inFlight: Parcel | undefined
  /** Milliseconds of `monotonicNow`; an outage is waited out until the process ends. */
  private deadline = ALL
  /** When the oldest one that waits came, and the last request left, in milliseconds of `performance.now()`. */
  private since = ALL
  private sentAt = -ALL

  /** @param spool Takes what could not be delivered when the process ends. */
  constructor(
    private readonly exporter: Exporter,
    readonly signal: Signal,
    config: BatchConfig,
    readonly accounts: Accounts,
    private readonly spool: Spool | undefined,
  ) {
    this.outbox = new Outbox({ bytes: QUEUE_BYTES, count: config.maxQueueSize ?? ALL })
    this.batchCount = config.maxExportBatchSize ?? BATCH_COUNT
    this.delay = config.scheduleDelay
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.outbox.bytes
  }

  process(resource: Uint8Array): ProcessQueue {
    return this.outbox.process(resource)
  }

  forget(queue: ProcessQueue): void {
    this.outbox.forget(queue)
  }

  /**
   * Takes what was made.
   * @param scope undefined where it was never told of: this is lost then.
   * @param bytes A copy.
   * @param settled Called when it was delivered or dropped for good.
   */
  add(
    queue: ProcessQueue,
    scope: OutboxScope | undefined,
    bytes: Uint8Array,
    count: number,
    settled?: () => void,
  ): void {
    this.accounts.make(count)
    if (this.since === ALL) this.since = performance.now()
    if (scope === undefined) {
      this.accounts.drop('queue', 'no-scope', count)
      settled?.()
      return
    }
    const refused = this.outbox.overflow
    queue.add(scope, bytes, count, settled)
    this.accounts.drop('queue', 'queue-full', this.outbox.overflow - refused)
  }

  lost(cause: string, count: number): void {
    this.accounts.make(count)
    this.accounts.drop('queue', cause, count)
  }

  /** Milliseconds until a request is due: two are `delay` apart; after a longer silence the first one goes early. */
  get due(): number {
    if (this.outbox.count === 0 || this.running !== undefined) return ALL
    const early = this.since + Math.min(EARLY, this.delay)
    return Math.max(0, Math.max(early, this.sentAt + this.delay) - performance.now())
  }

  settle(): void {
    if (this.running !== undefined || this.outbox.count === 0) return
    if (this.outbox.count >= this.batchCount || this.outbox.bytes >= BATCH_BYTES || this.due <= 0)
      this.running = this.send()
  }

  private async send(): Promise<void> {
    const parcel = this.outbox.take(this.batchCount, BATCH_BYTES)
    this.inFlight = parcel
    this.accounts.submit(countOf(parcel.batches))
    this.sentAt = performance.now()
    this.since = this.outbox.count > 0 ? this.sentAt : ALL
    let result: ExportResult
    try {
      result = await this.exporter.export(parcel.batches, this.deadline)
    } catch {
      result = { delivered: 0, dropped: new Map([['failed', countOf(parcel.batches)]]) }
    }
    // Given up meanwhile, and accounted for.
    if (this.inFlight !== parcel) return
    this.inFlight = undefined
    this.account('exporter', result)
    for (const settled of parcel.receipts) settled()
    this.running = undefined
    this.settle()
  }

  private account(stage: Stage, { delivered, dropped, undelivered }: ExportResult): void {
    this.accounts.deliver(delivered)
    let kept =
      this.spool === undefined || undelivered === undefined ? 0 : this.spool.keep(undelivered, this.signal)
    this.accounts.drop(stage, SPOOLED, kept)
    for (const [cause, count] of dropped) {
      const saved = Math.min(kept, count)
      kept -= saved
      this.accounts.drop(stage, cause, count - saved)
    }
  }

  /** The process ends: requests under way have no longer than this. @param deadline Milliseconds of `monotonicNow`. */
  hurry(deadline: number): void {
    this.deadline = deadline - LAST
    this.exporter.hurry?.(this.deadline)
  }

  /** Sends what waits. @param deadline Milliseconds of `monotonicNow`. */
  async empty(deadline: number): Promise<void> {
    while (this.outbox.count > 0 || this.running !== undefined) {
      const left = deadline - monotonicNow()
      if (left <= 0) break
      this.running ??= this.send()
      await Promise.race([this.running, after(left)])
    }
  }

  /** Gives up what has not arrived. */
  giveUp(): void {
    const { inFlight } = this
    this.inFlight = undefined
    if (inFlight !== undefined) this.drop('exporter', inFlight)
    this.drop('queue', this.outbox.take(ALL, ALL))
  }

  private drop(stage: Stage, { batches, receipts }: Parcel): void {
    const dropped = new Map([[this.exporter.trouble ?? 'timeout', countOf(batches)]])
    this.account(stage, { delivered: 0, dropped, undelivered: batches })
    for (const settled of receipts) settled()
  }

  close(): Promise<void> {
    return this.exporter.close()
  }
}

export function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
