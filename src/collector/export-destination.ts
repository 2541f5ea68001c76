import { monotonicNow } from '../core/clock.js'
import type { ThreadEntry, Unsent } from '../link/messages.js'
import { fieldOf, readLogHead } from '../logs/record.js'
import type { CellSource } from '../metrics/cells.js'
import type { MergedMetrics, MergedSource } from '../metrics/merged.js'
import type { Accounts } from '../ring/accounts.js'
import { copyOf, type Signal } from '../ring/reader.js'
import { after, BATCH_BYTES, type Delivery } from './delivery.js'
import { type Destination, resume, type ThreadTarget } from './destination.js'
import type { MetricsExport } from './metrics-export.js'
import type { OutboxScope, ProcessQueue } from './outbox.js'
import type { Spool } from './spool.js'

/**
 * Milliseconds between two looks at the rings, while something comes: a look costs the telemetry thread as much as twenty spans, and what it
 * finds waits for a request anyway. Who writes much wakes it when a ring is half full.
 */
const PACE = 50
/** The same where what is found is written to disk at once. */
const SPOOL_PACE = 10

/** What a process has to say, a queue for each signal. */
interface Queues {
  readonly spans: ProcessQueue
  /** Undefined where log records are not exported. */
  readonly logs: ProcessQueue | undefined
}

/** Exports what the threads of a process and its descendants have written. */
export class ExportDestination implements Destination {
  readonly pace: number
  private readonly own: Queues

  /**
   * @param resource The process's encoded Resource.
   * @param logs Undefined where log records are not exported: those of descendants are left out then.
   * @param metrics What is measured; the last figures are exported behind the last spans.
   */
  constructor(
    private readonly spans: Delivery,
    private readonly logs: Delivery | undefined,
    resource: Uint8Array,
    private readonly spool?: Spool,
    private readonly metrics?: MetricsExport,
  ) {
    this.pace = spool === undefined ? PACE : SPOOL_PACE
    this.own = this.queues(resource)
    spool?.deliver({
      process: (resource) => this.process(resource),
      lost: (cause, count, signal) => this.lost(cause, count, signal),
    })
  }

  get accounts(): Accounts {
    return this.spans.accounts
  }

  private queues(resource: Uint8Array): Queues {
    return { spans: this.spans.process(resource), logs: this.logs?.process(resource) }
  }

  thread(_entry: ThreadEntry): ThreadTarget {
    const target = this.target(this.own)
    return this.spool?.follow(target) ?? target
  }

  process(resource: Uint8Array): ThreadTarget {
    const queues = this.queues(resource)
    return {
      ...this.target(queues),
      end: () => {
        this.spans.forget(queues.spans)
        if (queues.logs !== undefined) this.logs?.forget(queues.logs)
      },
    }
  }

  measure(_thread: number, source: CellSource): MergedSource {
    return this.metrics?.own.add(source) ?? { end() {} }
  }

  measures(resource: Uint8Array): Pick<MergedMetrics, 'add'> | undefined {
    return this.metrics?.of(resource)
  }

  private target(queues: Queues): ThreadTarget {
    const scopes = new Map<number, OutboxScope>()
    const { spans, logs } = this
    const target: ThreadTarget = {
      scope: (id, encoded, schemaUrl) => scopes.set(id, { encoded, schemaUrl }),
      spans: (id, bytes, count, settled) =>
        spans.add(queues.spans, scopes.get(id), copyOf(bytes), count, settled),
      logged(body, settled) {
        if (logs === undefined || queues.logs === undefined) {
          settled?.()
          return
        }
        const head = readLogHead(body)
        if (head === undefined) {
          logs.lost('corrupt', 1)
          settled?.()
          return
        }
        logs.add(queues.logs, scopes.get(head.scope), fieldOf(body, head), 1, settled)
      },
      resume: (unsent: readonly Unsent[]) => resume(target, unsent),
      end() {},
    }
    return target
  }

  lost(cause: string, count: number, signal: Signal): void {
    if (signal === 'spans') this.spans.lost(cause, count)
    else this.logs?.lost(cause, count)
  }

  get due(): number {
    return Math.min(this.spans.due, this.logs?.due ?? Number.POSITIVE_INFINITY)
  }

  settle(): void {
    this.spool?.settle(this.spans.bytes + (this.logs?.bytes ?? 0) < BATCH_BYTES)
    this.spans.settle()
    this.logs?.settle()
  }

  async flush(deadline: number, final: boolean): Promise<void> {
    const deliveries = this.logs === undefined ? [this.spans] : [this.spans, this.logs]
    if (final) for (const delivery of deliveries) delivery.hurry(deadline)
    if (this.spool !== undefined) {
      await Promise.race([this.spool.ready, after(Math.max(0, deadline - monotonicNow()))])
      this.settle()
    }
    await Promise.all(deliveries.map((delivery) => delivery.empty(deadline)))
    if (!final) return
    for (const delivery of deliveries) delivery.giveUp()
    this.spool?.close()
    const closed = Promise.all([
      this.metrics?.close(deadline),
      ...deliveries.map((delivery) => delivery.close()),
    ])
    await Promise.race([closed, after(Math.max(20, deadline - monotonicNow()))])
  }
}
