import { DELIVERED, MADE } from './layout.js'

/** What becomes of spans: made = delivered + kept + the sum of what was dropped, always. */
export class Accounts {
  /** Spans that ended, or were closed because their thread or process had died. */
  made = 0
  delivered = 0
  /** Spans that lie in the spool, for the next start. */
  kept = 0
  readonly dropped = new Map<string, number>()

  /** @param control The control block, which outlives the thread that does the accounts: what an earlier one left is taken over. */
  constructor(private readonly control?: Int32Array) {
    if (control === undefined) return
    this.made = Atomics.load(control, MADE) >>> 0
    this.delivered = Atomics.load(control, DELIVERED) >>> 0
    this.drop('collector', this.made - this.delivered)
  }

  make(count: number): void {
    this.made += count
    if (this.control !== undefined) Atomics.store(this.control, MADE, this.made | 0)
  }

  deliver(count: number): void {
    this.delivered += count
    if (this.control !== undefined) Atomics.store(this.control, DELIVERED, this.delivered | 0)
  }

  drop(cause: string, count: number): void {
    if (count > 0) this.dropped.set(cause, (this.dropped.get(cause) ?? 0) + count)
  }

  /** All that was dropped. */
  get lost(): number {
    let lost = 0
    for (const count of this.dropped.values()) lost += count
    return lost
  }
}
