import { type OtlpConfig, shownEndpoint } from '../config/otlp.js'
import { monotonicNow } from '../core/clock.js'
import type { Signal } from '../ring/reader.js'
import { ExportCall } from './call.js'
import type { Answer, OtlpClient } from './client.js'
import {
  allDropped,
  type Batch,
  countOf,
  type DropCause,
  type Exporter,
  type ExportLog,
  type ExportResult,
} from './exporter.js'
import { ACCEPTED, judge, REJECTED, TOO_LARGE } from './judge.js'
import { Notices, reason } from './notices.js'
import { failure } from './otlp-answer.js'
import { otlpClient } from './otlp-client.js'
import { encodeRequest } from './request.js'
import { backoff } from './retry.js'
import { type Piece, split } from './split.js'

/** Spans or log records over OTLP. One request at a time and call; what can be repeated is repeated until the deadline. */
export class OtlpExporter implements Exporter {
  readonly #client: OtlpClient
  readonly #notices: Notices
  readonly #config: OtlpConfig
  readonly #calls = new Set<ExportCall>()
  #maxBytes: number
  /** Until then the server asked for silence; milliseconds of `monotonicNow`. */
  #silentUntil = 0
  #closed = false
  #trouble: DropCause | undefined

  /** @param maxBytes Bytes of spans in one request at first; learned from the server when it takes less. */
  constructor(config: OtlpConfig, log: ExportLog, maxBytes?: number, signal: Signal = 'spans') {
    this.#config = config
    this.#client = otlpClient(config)
    this.#notices = new Notices(log, shownEndpoint(config), signal)
    this.#maxBytes = maxBytes ?? this.#client.maxBytes
  }

  async export(batches: readonly Batch[], deadline: number): Promise<ExportResult> {
    const made = countOf(batches)
    if (this.#closed) return allDropped(made, 'closed')
    const call = new ExportCall(made, deadline)
    this.#calls.add(call)
    try {
      for (const piece of split(batches, this.#maxBytes)) await this.#deliver(piece, call)
    } catch (error) {
      this.#notices.complain(
        'THREADSPAN_EXPORT_FAILED',
        `was given ${this.#notices.what} that failed: ${reason(error as Error)}`,
      )
    } finally {
      this.#calls.delete(call)
    }
    return call.finish()
  }

  get trouble(): DropCause | undefined {
    return this.#trouble
  }

  hurry(deadline: number): void {
    for (const call of this.#calls) call.hurry(deadline)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const call of this.#calls) call.end('closed')
    this.#client.close()
  }

  /** Delivers a piece, in smaller ones where it is too large, or drops it; the call's accounts then hold it. */
  async #deliver(piece: Piece, call: ExportCall): Promise<void> {
    const outcome = await this.#attempt(piece, call)
    if (outcome === ACCEPTED) return
    if (outcome !== TOO_LARGE || piece.count === 1) {
      if (outcome !== TOO_LARGE && outcome !== REJECTED) call.undelivered(piece.batches)
      return call.dropped(outcome, piece.count)
    }
    // The specification forbids to repeat a request that was too large; these are others, and what comes later is
    // cut to their size at once. Spans differ in size, so the limit is never learned from a single one.
    const half = Math.ceil(piece.bytes / 2)
    this.#maxBytes = Math.max(Math.min(this.#maxBytes, half), 64 * 1024)
    for (const smaller of split(piece.batches, half)) await this.#deliver(smaller, call)
  }

  /** Sends one request until it is answered for good or the call is over. */
  async #attempt(piece: Piece, call: ExportCall): Promise<DropCause> {
    let body: Uint8Array | undefined
    let cause: DropCause = this.#trouble ?? 'timeout'
    let why = 'the time was over before the first attempt'
    let fresh = true
    for (let attempt = 0; ; ) {
      if (call.over !== undefined) return call.over
      if (call.remaining === 0 || call.signal.aborted) return this.#giveUp(call, cause, why, piece.count)
      const silence = this.#silentUntil - monotonicNow()
      if (silence >= call.remaining) {
        return this.#giveUp(call, 'throttled', 'it asks to wait longer than there is time', piece.count)
      }
      if (silence > 0) {
        await call.pause(silence)
        continue
      }

      body ??= await this.#client.prepare(encodeRequest(piece.batches))
      const timeout = Math.max(1, Math.min(this.#config.timeout, call.remaining))
      const result = await this.#client.send(body, { timeout, signal: call.signal })
      const { answer } = result
      if (answer !== undefined && answer.verdict !== 'again') return this.#settle(answer, piece.count, call)
      if (result.answer === undefined && result.stale && fresh) {
        fresh = false
        continue
      }
      // An attempt that the deadline has cut short says nothing of the endpoint, where another one has.
      const isCut = answer === undefined && call.signal.aborted && this.#trouble !== undefined
      if (!isCut) {
        ;[cause, why] = failure(result)
        this.#trouble = cause
      }
      if (call.over !== undefined) return call.over
      this.#notices.failed(why)
      const wait = this.#wait(answer, attempt++)
      // A wait that the deadline would end is not begun: at the end of a process it would be waited for in vain.
      if (wait >= call.remaining) return this.#giveUp(call, cause, why, piece.count)
      await call.pause(wait)
    }
  }

  #wait(answer: Answer | undefined, attempt: number): number {
    if (answer?.wait === undefined) return backoff(attempt)
    this.#silentUntil = Math.max(this.#silentUntil, monotonicNow() + answer.wait)
    return answer.wait
  }

  #giveUp(call: ExportCall, cause: DropCause, why: string, spans: number): DropCause {
    this.#notices.gaveUp(why, spans)
    call.over ??= cause
    return cause
  }

  #settle(answer: Answer, spans: number, call: ExportCall): DropCause {
    const { outcome, delivered } = judge(answer, spans, this.#notices)
    this.#trouble = undefined
    if (outcome !== ACCEPTED) return outcome
    call.dropped(REJECTED, spans - delivered)
    call.delivered(delivered)
    return ACCEPTED
  }
}
