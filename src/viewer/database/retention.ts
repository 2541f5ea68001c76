import type { Store } from '../store/store.js'
import type { Database } from './database.js'

/** Milliseconds between two looks. */
const INTERVAL = 1000

/** Age is looked at this often: it goes over all traces. */
const AGE_INTERVAL = 60_000

/** Part of the traces that leaves at once where the file is too large. */
const SHARE = 0.02

/** How long, and how much, is kept. */
export interface RetentionOptions {
  /** Milliseconds since a trace's start. */
  keep?: number
  /** Bytes of the database. */
  maxSize?: number
}

/** Lets traces go by age and by the size of the file, the oldest first, whole. */
export class Retention {
  readonly #timer: NodeJS.Timeout | undefined
  #looked = 0

  constructor(
    private readonly store: Store,
    private readonly database: Database | undefined,
    private readonly options: RetentionOptions,
  ) {
    if (options.keep === undefined && options.maxSize === undefined) return
    this.look()
    this.#timer = setInterval(() => this.look(), INTERVAL).unref()
  }

  look(): void {
    const { keep, maxSize } = this.options
    if (keep !== undefined && Date.now() - this.#looked >= AGE_INTERVAL) {
      this.#looked = Date.now()
      const since = this.#looked - keep
      const { columns } = this.store
      this.store.letGo((trace) => columns.start(trace.first) < since)
      this.database?.forget(since)
    }
    if (maxSize !== undefined && this.database !== undefined) this.#shrink(this.database, maxSize)
  }

  /** Looks a last time. */
  close(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.database?.flush()
    this.look()
  }

  #shrink(database: Database, most: number): void {
    // What cannot be written to does not shrink, whatever leaves.
    while (!database.failed && database.size > most && this.store.traces.size > 0) {
      this.store.letGo(() => true, Math.ceil(this.store.traces.size * SHARE))
      database.flush()
    }
  }
}
