import type { BatchConfig } from '../../config/config.js'
import { countSpans, type Exporter, type ExportResult } from '../../export/exporter.js'
import type { ThreadEntry } from '../messages.js'
import { copyOf, type KnownScope } from '../reader.js'
import type { Accounts, Destination, ThreadTarget } from './destination.js'
import { Outbox, type ProcessQueue } from './outbox.js'

/** Spans and bytes of one export request, unless the environment says otherwise. */
const BATCH_SPANS = 8192
const BATCH_BYTES = 4 << 20
/** Bytes of spans that wait for an endpoint to come back. */
const QUEUE_BYTES = 64 << 20

/** Exports spans in batches, one request at a time. */
export class ExportDestination implements Destination {
  private readonly outbox: Outbox
  private readonly own: ProcessQueue
  private readonly batchSpans: number
  private readonly delay: number
  private delivered = 0
  private readonly lost = new Map<string, number>()
  private running: Promise<void> | undefined
  /** Milliseconds since the epoch; an outage is waited out until the process ends. */
  private deadline = Number.POSITIVE_INFINITY
  /** When the oldest waiting span came, in milliseconds of `performance.now()`. */
  private since = Number.POSITIVE_INFINITY

  /** @param resource The process's encoded Resource. */
  constructor(
    private readonly exporter: Exporter,
    resource: Uint8Array,
    config: BatchConfig,
  ) {
    this.outbox = new Outbox({
      bytes: QUEUE_BYTES,
      spans: config.maxQueueSize ?? Number.POSITIVE_INFINITY,
    })
    this.own = this.outbox.process(resource)
    this.batchSpans = config.maxExportBatchSize ?? BATCH_SPANS
    this.delay = config.scheduleDelay
  }

  thread({ scopes }: ThreadEntry): ThreadTarget {
    return this.target(this.own, scopes)
  }

  process(resource: Uint8Array): ThreadTarget {
    const queue = this.outbox.process(resource)
    return { ...this.target(queue), end: () => this.outbox.forget(queue) }
  }

  private target(queue: ProcessQueue, known?: ReadonlyMap<number, KnownScope>): ThreadTarget {
    const scopes = new Map(known)
    return {
      scope: (id, encoded, schemaUrl) => scopes.set(id, { encoded, schemaUrl }),
      spans: (id, bytes, count) => {
        const scope = scopes.get(id)
        if (this.since === Number.POSITIVE_INFINITY) this.since = performance.now()
        if (scope === undefined) this.lose('no-scope', count)
        else queue.add(scope.encoded, scope.schemaUrl, copyOf(bytes), count)
      },
      end() {},
    }
  }

  get due(): number {
    if (this.outbox.count === 0 || this.running !== undefined) return Number.POSITIVE_INFINITY
    return Math.max(0, this.since + this.delay - performance.now())
  }

  settle(): void {
    if (this.running !== undefined || this.outbox.count === 0) return
    if (this.outbox.count >= this.batchSpans || this.outbox.bytes >= BATCH_BYTES || this.due <= 0)
      this.running = this.send()
  }

  private async send(): Promise<void> {
    const batches = this.outbox.take(this.batchSpans, BATCH_BYTES)
    this.since = this.outbox.count > 0 ? performance.now() : Number.POSITIVE_INFINITY
    let result: ExportResult
    try {
      result = await this.exporter.export(batches, this.deadline)
    } catch {
      result = { delivered: 0, dropped: new Map([['failed', countSpans(batches)]]) }
    }
    this.delivered += result.delivered
    for (const [cause, count] of result.dropped) this.lose(cause, count)
    this.running = undefined
    this.settle()
  }

  private lose(cause: string, count: number): void {
    this.lost.set(cause, (this.lost.get(cause) ?? 0) + count)
  }

  async flush(deadline: number, final: boolean): Promise<void> {
    if (final) {
      this.deadline = deadline
      this.exporter.hurry?.(deadline)
    }
    while (this.outbox.count > 0 || this.running !== undefined) {
      const left = deadline - Date.now()
      if (left <= 0) break
      this.running ??= this.send()
      await Promise.race([this.running, after(left)])
    }
    if (!final) return
    const rest = countSpans(this.outbox.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))
    if (rest > 0) this.lose('timeout', rest)
    await Promise.race([this.exporter.close(), after(Math.max(20, deadline - Date.now()))])
  }

  get accounts(): Accounts {
    const dropped = new Map(this.lost)
    if (this.outbox.overflow > 0) dropped.set('queue-full', this.outbox.overflow)
    return { delivered: this.delivered, dropped }
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
