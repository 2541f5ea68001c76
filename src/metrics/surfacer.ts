/** Who listens to each value that is measured: the contract, and the host that calls those who follow it. */
import type { Measurement, TransactionScope } from './measurement.js'

/**
 * Gets each value that is measured, in whichever thread or child process, and may gather those of a transaction. It is called in one thread,
 * never twice at a time, and behind the work that measured: nothing waits for it.
 *
 * What it throws, and what its promises reject with, is told once, and counted.
 */
export interface Surfacer {
  /** A value was measured. */
  record(measurement: Measurement): void
  /** Something is about to be recorded for a transaction, for the first time, or late. */
  clear?(transaction: TransactionScope): void
  /** The transaction has ended, and everything that was measured for it until then was recorded. */
  flush?(transaction: TransactionScope): void | Promise<void>
  /**
   * The process ends.
   * @param deadline Milliseconds of `performance.timeOrigin + performance.now()` until which it is waited for.
   */
  close?(deadline: number): void | Promise<void>
}

/** What surfacers are told, in order. Plain data. */
export type SurfacerEvent =
  | { readonly type: 'record'; readonly measurement: Measurement }
  | { readonly type: 'clear'; readonly transaction: TransactionScope }
  | { readonly type: 'flush'; readonly transaction: TransactionScope }

/** A surfacer, and how it is called in messages. */
export interface NamedSurfacer {
  readonly name: string
  readonly surfacer: Surfacer
}

/** Flushes of one surfacer that may be under way at once; more wait for none of them, and are left out. */
const MOST_PENDING = 10_000

/** Calls surfacers. None of them harms another, or whoever calls this. */
export class SurfacerHost {
  private readonly pending = new Map<NamedSurfacer, Set<Promise<void>>>()

  /**
   * @param failed Called with each failure.
   * @param calling Called before each call with the place of the surfacer, and with -1 behind it: for whoever finds this thread hanging.
   */
  constructor(
    private readonly surfacers: NamedSurfacer[],
    private readonly failed: (name: string, error: unknown) => void,
    private readonly calling: (index: number) => void = () => {},
  ) {}

  add(surfacer: NamedSurfacer): void {
    this.surfacers.push(surfacer)
  }

  tell(events: readonly SurfacerEvent[]): void {
    for (const event of events) {
      this.surfacers.forEach((named, i) => {
        this.calling(i)
        this.call(named, event)
        this.calling(-1)
      })
    }
  }

  private call(named: NamedSurfacer, event: SurfacerEvent): void {
    const { name, surfacer } = named
    try {
      if (event.type === 'record') surfacer.record(event.measurement)
      else if (event.type === 'clear') surfacer.clear?.(event.transaction)
      else this.follow(named, surfacer.flush?.(event.transaction))
    } catch (error) {
      this.failed(name, error)
    }
  }

  private follow(named: NamedSurfacer, result: void | Promise<void>): void {
    if (typeof result?.then !== 'function') return
    let pending = this.pending.get(named)
    if (pending === undefined) {
      pending = new Set()
      this.pending.set(named, pending)
    }
    if (pending.size >= MOST_PENDING) return
    const all = pending
    const one: Promise<void> = Promise.resolve(result).then(
      () => void all.delete(one),
      (error: unknown) => {
        all.delete(one)
        this.failed(named.name, error)
      },
    )
    all.add(one)
  }

  /** Waits for what is under way, and lets all of them end. @param deadline As `Surfacer.close` has it. */
  async close(deadline: number): Promise<void> {
    const left = deadline - performance.timeOrigin - performance.now()
    const over = new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, left)).unref())
    const closing = this.surfacers.map(async (named, i) => {
      // At once where nothing is under way: a process that ends gets no further.
      const pending = this.pending.get(named)
      if (pending !== undefined && pending.size > 0) await Promise.all(pending)
      try {
        this.calling(i)
        const result = named.surfacer.close?.(deadline)
        this.calling(-1)
        await result
      } catch (error) {
        this.failed(named.name, error)
      }
    })
    await Promise.race([Promise.all(closing), over])
  }
}
