import { BroadcastChannel } from 'node:worker_threads'
import type { Attributes } from '@opentelemetry/api'
import { monotonicNow } from '../core/clock.js'
import {
  allDelivered,
  type Batch,
  countOf,
  type DropCause,
  type Exporter,
  type ExportResult,
} from '../export/exporter.js'
import { encodeRequest } from '../export/request.js'
import { HANDOVER, type Handover, handoverChannel, TAKEN, unref } from './handover.js'

export interface HandoverOptions {
  /** The control block that the threads of the process share. */
  readonly control: SharedArrayBuffer
  /** Name of the process's BroadcastChannel. */
  readonly channel: string
  /** The attributes of the process's Resource. */
  readonly resource: Attributes
}

/** Messages, of a few hundred spans each, that wait in the main thread at most; the next ones wait here, in a queue with a bound. */
const WINDOW = 8

/**
 * The exporter of a collector whose process may have an OpenTelemetry SDK of its own: once the main thread says so in the control block,
 * spans go there.
 *
 * What was posted lies in the main thread's queue and outlives this thread: it counts as delivered. A main thread that is busy
 * holds the next ones up.
 */
export class HandoverExporter implements Exporter {
  private readonly control: Int32Array
  private channel: BroadcastChannel | undefined
  private posted: number
  /** The process ends: nobody takes anything before all is posted. */
  private isLast = false

  /** @param exporter Takes the spans as long as no SDK does. */
  constructor(
    private readonly exporter: Exporter,
    private readonly options: HandoverOptions,
  ) {
    this.control = new Int32Array(options.control)
    this.posted = Atomics.load(this.control, TAKEN)
  }

  async export(batches: readonly Batch[], deadline: number): Promise<ExportResult> {
    if (Atomics.load(this.control, HANDOVER) === 0) return this.exporter.export(batches, deadline)
    for (const piece of pieces(batches)) {
      await this.room(deadline)
      this.post(piece)
    }
    return allDelivered(countOf(batches))
  }

  private post(piece: Batch): void {
    if (this.channel === undefined) {
      this.channel = new BroadcastChannel(handoverChannel(this.options.channel))
      unref(this.channel)
    }
    const message: Handover = { request: encodeRequest([piece]), own: this.options.resource }
    this.channel.postMessage(message)
    this.posted++
  }

  /** Until the main thread has taken all but a few. */
  private async room(deadline: number): Promise<void> {
    for (;;) {
      const taken = Atomics.load(this.control, TAKEN)
      const left = deadline - monotonicNow()
      if (this.isLast || this.posted - taken < WINDOW || left <= 0) return
      const wait = Atomics.waitAsync(this.control, TAKEN, taken, Math.min(left, 1000))
      if (wait.async) await wait.value
    }
  }

  hurry(deadline: number): void {
    this.isLast = true
    Atomics.notify(this.control, TAKEN)
    this.exporter.hurry?.(deadline)
  }

  get trouble(): DropCause | undefined {
    return this.exporter.trouble
  }

  async close(): Promise<void> {
    this.channel?.close()
    await this.exporter.close()
  }
}

/** Spans in small pieces: the main thread has other things to do between two of them. */
function* pieces(batches: readonly Batch[]): Generator<Batch> {
  for (const batch of batches) {
    for (const scope of batch.scopes) {
      for (const chunk of scope.chunks) yield { ...batch, scopes: [{ ...scope, chunks: [chunk] }] }
    }
  }
}
