import type { BatchConfig } from '../config/config.js'
import { monotonicNow } from '../core/clock.js'
import { countSpans, type Exporter, type ExportResult } from '../export/exporter.js'
import type { ThreadEntry } from '../link/messages.js'
import type { CellSource } from '../metrics/cells.js'
import type { MergedMetrics, MergedSource } from '../metrics/merged.js'
import { type Accounts, SPOOLED, type Stage } from '../ring/accounts.js'
import { copyOf } from '../ring/reader.js'
import type { Destination, ThreadTarget } from './destination.js'
import type { MetricsExport } from './metrics-export.js'
import { Outbox, type Parcel, type ProcessQueue } from './outbox.js'
import type { Spool } from './spool.js'

/** Spans and bytes of one export request, unless the environment says otherwise. */
const BATCH_SPANS = 8192
const BATCH_BYTES = 4 << 20
/** Bytes of spans that wait for an endpoint to come back. */
const QUEUE_BYTES = 64 << 20
/** Milliseconds that the first spans after a silence wait for others: what a killed process loses is what waits. */
const EARLY = 200
/** Milliseconds before the deadline at which requests are given up, so that there is time to take note. */
const LAST = 50
/** Milliseconds between two looks at the rings, while spans come. */
const PACE = 10

const ALL = Number.POSITIVE_INFINITY

/** Exports spans in batches, one request at a time. */
export class ExportDestination implements Destination {
  readonly pace = PACE
  private readonly outbox: Outbox
  private readonly own: ProcessQueue
  private readonly batchSpans: number
  private readonly delay: number
  private running: Promise<void> | undefined
  private inFlight: Parcel | undefined
  /** Milliseconds since the epoch; an outage is waited out until the process ends. */
  private deadline = ALL
  /** When the oldest waiting span came, and the last request left, in milliseconds of `performance.now()`. */
  private since = ALL
  private sentAt = -ALL

  /**
   * @param resource The process's encoded Resource.
   * @param spool Takes what could not be delivered when the process ends.
   * @param metrics What is measured; the last figures are exported behind the last spans.
   */
  constructor(
    private readonly exporter: Exporter,
    resource: Uint8Array,
    config: BatchConfig,
    readonly accounts: Accounts,
    private readonly spool?: Spool,
    private readonly metrics?: MetricsExport,
  ) {
    this.outbox = new Outbox({ bytes: QUEUE_BYTES, spans: config.maxQueueSize ?? ALL })
    this.own = this.outbox.process(resource)
    this.batchSpans = config.maxExportBatchSize ?? BATCH_SPANS
    this.delay = config.scheduleDelay
    spool?.deliver({
      process: (resource) => this.process(resource),
      lost: (cause, count) => this.lost(cause, count),
    })
  }

  thread(_entry: ThreadEntry): ThreadTarget {
    const target = this.target(this.own)
    return this.spool?.follow(target) ?? target
  }

  process(resource: Uint8Array): ThreadTarget {
    const queue = this.outbox.process(resource)
    return { ...this.target(queue), end: () => this.outbox.forget(queue) }
  }

  measure(_thread: number, source: CellSource): MergedSource {
    return this.metrics?.own.add(source) ?? { end() {} }
  }

  measures(resource: Uint8Array): Pick<MergedMetrics, 'add'> | undefined {
    return this.metrics?.of(resource)
  }

  private target(queue: ProcessQueue): ThreadTarget {
    const scopes = new Map<number, { encoded: Uint8Array; schemaUrl: string }>()
    const spans: ThreadTarget['spans'] = (id, bytes, count, settled) => {
      const scope = scopes.get(id)
      this.accounts.make(count)
      if (this.since === ALL) this.since = performance.now()
      if (scope !== undefined) {
        const refused = this.outbox.overflow
        queue.add(scope.encoded, scope.schemaUrl, copyOf(bytes), count, settled)
        this.accounts.drop('queue', 'queue-full', this.outbox.overflow - refused)
      } else {
        this.accounts.drop('queue', 'no-scope', count)
        settled?.()
      }
    }
    return {
      scope: (id, encoded, schemaUrl) => scopes.set(id, { encoded, schemaUrl }),
      spans,
      resume(runs) {
        for (const { scope, bytes, count } of runs) spans(scope, bytes, count)
      },
      end() {},
    }
  }

  lost(cause: string, count: number): void {
    this.accounts.make(count)
    this.accounts.drop('queue', cause, count)
  }

  /** Two requests are `delay` apart; after a longer silence the first one goes early. */
  get due(): number {
    if (this.outbox.count === 0 || this.running !== undefined) return ALL
    const early = this.since + Math.min(EARLY, this.delay)
    return Math.max(0, Math.max(early, this.sentAt + this.delay) - performance.now())
  }

  settle(): void {
    this.spool?.settle(this.outbox.bytes < BATCH_BYTES)
    if (this.running !== undefined || this.outbox.count === 0) return
    if (this.outbox.count >= this.batchSpans || this.outbox.bytes >= BATCH_BYTES || this.due <= 0)
      this.running = this.send()
  }

  private async send(): Promise<void> {
    const parcel = this.outbox.take(this.batchSpans, BATCH_BYTES)
    this.inFlight = parcel
    this.accounts.submit(countSpans(parcel.batches))
    this.sentAt = performance.now()
    this.since = this.outbox.count > 0 ? this.sentAt : ALL
    let result: ExportResult
    try {
      result = await this.exporter.export(parcel.batches, this.deadline)
    } catch {
      result = { delivered: 0, dropped: new Map([['failed', countSpans(parcel.batches)]]) }
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
    let kept = this.spool === undefined || undelivered === undefined ? 0 : this.spool.keep(undelivered)
    this.accounts.drop(stage, SPOOLED, kept)
    for (const [cause, count] of dropped) {
      const saved = Math.min(kept, count)
      kept -= saved
      this.accounts.drop(stage, cause, count - saved)
    }
  }

  async flush(deadline: number, final: boolean): Promise<void> {
    if (final) {
      this.deadline = deadline - LAST
      this.exporter.hurry?.(this.deadline)
    }
    if (this.spool !== undefined) {
      await Promise.race([this.spool.ready, after(Math.max(0, deadline - monotonicNow()))])
      this.settle()
    }
    while (this.outbox.count > 0 || this.running !== undefined) {
      const left = deadline - monotonicNow()
      if (left <= 0) break
      this.running ??= this.send()
      await Promise.race([this.running, after(left)])
    }
    if (!final) return
    const { inFlight } = this
    this.inFlight = undefined
    if (inFlight !== undefined) this.giveUp('exporter', inFlight)
    this.giveUp('queue', this.outbox.take(ALL, ALL))
    this.spool?.close()
    const closed = Promise.all([this.metrics?.close(deadline), this.exporter.close()])
    await Promise.race([closed, after(Math.max(20, deadline - monotonicNow()))])
  }

  private giveUp(stage: Stage, { batches, receipts }: Parcel): void {
    const dropped = new Map([['timeout', countSpans(batches)]])
    this.account(stage, { delivered: 0, dropped, undelivered: batches })
    for (const settled of receipts) settled()
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
