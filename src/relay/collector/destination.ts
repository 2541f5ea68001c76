/** Where a collector takes the spans of its process. */

import type { ThreadEntry } from '../messages.js'
import type { RecordTarget, SlottedSpan } from '../reader.js'

/** What became of the spans that reached a destination. */
export interface Accounts {
  readonly delivered: number
  readonly dropped: ReadonlyMap<string, number>
}

/** The target of one thread's records. */
export interface ThreadTarget extends RecordTarget {
  /** Looks at the spans that are open now; only where they would not survive this process. */
  open?(spans: Iterable<SlottedSpan>): void
  /** All has been handed over. */
  end(): void
}

export interface Destination {
  thread(entry: ThreadEntry): ThreadTarget
  /** The target of a descendant's records; undefined where descendants are not read. */
  process?(resource: Uint8Array): ThreadTarget
  /** After records were handed over, and from time to time: does what is due. */
  settle(): void
  /** Milliseconds until something is due; `Infinity` if nothing is. */
  readonly due: number
  /**
   * Takes everything to its end.
   * @param deadline Milliseconds since the epoch; spans that have not arrived by then are dropped, if this is the `final` flush.
   */
  flush(deadline: number, final: boolean): Promise<void>
  readonly accounts: Accounts
}
