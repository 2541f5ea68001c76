import type { Measurement, TransactionScope } from '../metrics/measurement.js'
import type { Surfacer } from '../metrics/surfacer.js'

/** A transaction that has ended, and what was measured for it. */
export interface Flushed {
  readonly transaction: TransactionScope
  readonly measurements: readonly Measurement[]
}

/** Keeps what is measured, for tests. */
export class InMemorySurfacer implements Surfacer {
  /** All that was measured, in order. */
  readonly measurements: Measurement[] = []
  /** The transactions that have ended, in order; one for which something came late is there again, with that. */
  readonly flushed: Flushed[] = []
  readonly #open = new Map<string, Measurement[]>()

  record(measurement: Measurement): void {
    this.measurements.push(measurement)
    if (measurement.transaction !== undefined) this.#open.get(measurement.transaction.id)?.push(measurement)
  }

  clear({ id }: TransactionScope): void {
    this.#open.set(id, [])
  }

  flush(transaction: TransactionScope): void {
    this.flushed.push({ transaction, measurements: this.#open.get(transaction.id) ?? [] })
    this.#open.delete(transaction.id)
  }
}
