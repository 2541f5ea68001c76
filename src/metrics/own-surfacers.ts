/** Surfacers that an instrument brings along: they are told of what it measures, and of nothing else. */
import { shared } from '../core/shared.js'
import type { Measurement, TransactionScope } from './measurement.js'
import type { Surfacer } from './surfacer.js'

/** Tells a surfacer of some metrics alone. */
class OnlyOf implements Surfacer {
  readonly names = new Set<string>()
  /** Transactions for which it has been told something. */
  private readonly open = new Set<string>()

  constructor(private readonly surfacer: Surfacer) {}

  record(measurement: Measurement): void {
    const { name, transaction } = measurement
    if (!this.names.has(name)) return
    if (transaction !== undefined && !this.open.has(transaction.id)) {
      this.open.add(transaction.id)
      this.surfacer.clear?.(transaction)
    }
    this.surfacer.record(measurement)
  }

  flush(transaction: TransactionScope): void | Promise<void> {
    return this.open.delete(transaction.id) ? this.surfacer.flush?.(transaction) : undefined
  }

  close(deadline: number): void | Promise<void> {
    return this.surfacer.close?.(deadline)
  }
}

/** This thread's. */
const own = shared('metrics.surfacers', () => ({
  all: new Map<Surfacer, OnlyOf>(),
  attach: undefined as ((surfacer: Surfacer) => void) | undefined,
}))

/** From now on the surfacers are told of the metric of that name. */
export function surface(name: string, surfacers: readonly Surfacer[]): void {
  for (const surfacer of surfacers) {
    let only = own.all.get(surfacer)
    if (only === undefined) {
      only = new OnlyOf(surfacer)
      own.all.set(surfacer, only)
      own.attach?.(only)
    }
    only.names.add(name)
  }
}

/** Calls `attach` with each of them, those that have come and those that will; for the first caller alone. */
export function attachOwnSurfacers(attach: (surfacer: Surfacer) => void): void {
  if (own.attach !== undefined) return
  own.attach = attach
  for (const only of own.all.values()) attach(only)
}
