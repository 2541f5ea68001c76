import { MAX_INTEGER } from '../config/variables.js'
import { monotonicNow } from '../core/clock.js'
import type { Batch, DropCause, ExportResult } from './exporter.js'

/** One `export` call under way: its deadline, which may come nearer, and what has become of its spans so far. */
export class ExportCall {
  /** Milliseconds of `monotonicNow`. */
  deadline: number
  /** Why nothing more is to be tried, once that is so. */
  over: DropCause | undefined
  readonly #made: number
  readonly #controller = new AbortController()
  readonly #dropped = new Map<DropCause, number>()
  readonly #pauses = new Set<() => void>()
  #delivered = 0
  readonly #undelivered: Batch[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(made: number, deadline: number) {
    this.#made = made
    this.deadline = deadline
    this.#arm()
  }

  /** Aborted when the deadline has passed or the call was ended. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Milliseconds that are left, within what timers take. */
  get remaining(): number {
    return Math.max(0, Math.min(this.deadline - monotonicNow(), MAX_INTEGER))
  }

  delivered(spans: number): void {
    this.#delivered += spans
  }

  dropped(cause: DropCause, spans: number): void {
    if (spans > 0) this.#dropped.set(cause, (this.#dropped.get(cause) ?? 0) + spans)
  }

  /** Spans that are dropped although no server refused them. */
  undelivered(batches: readonly Batch[]): void {
    for (const batch of batches) this.#undelivered.push(batch)
  }

  hurry(deadline: number): void {
    if (deadline >= this.deadline) return
    this.deadline = deadline
    this.#arm()
    for (const wake of this.#pauses) wake()
  }

  /** Tries nothing more; what is left is dropped for `cause`. */
  end(cause: DropCause): void {
    this.over ??= cause
    this.#stop()
  }

  /** Waits. It ends early when the call is over, or in a hurry: then there may be no later chance. */
  async pause(milliseconds: number): Promise<void> {
    if (this.signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#pauses.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, Math.min(milliseconds, MAX_INTEGER))
      this.#pauses.add(wake)
    })
  }

  /** The result; what nobody accounted for failed. */
  finish(): ExportResult {
    clearTimeout(this.#timer)
    let known = this.#delivered
    for (const count of this.#dropped.values()) known += count
    this.dropped('failed', this.#made - known)
    const result: ExportResult = { delivered: this.#delivered, dropped: this.#dropped }
    if (this.#undelivered.length > 0) result.undelivered = this.#undelivered
    return result
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.deadline - monotonicNow() > MAX_INTEGER) return
    this.#timer = setTimeout(() => this.#stop(), this.remaining)
  }

  #stop(): void {
    this.#controller.abort()
    for (const wake of this.#pauses) wake()
  }
}
