/** Where a collector takes the spans of its process. */

import type { ThreadEntry, Unsent } from '../link/messages.js'
import type { CellSource } from '../metrics/cells.js'
import type { MergedMetrics, MergedSource } from '../metrics/merged.js'
import type { Accounts } from '../ring/accounts.js'
import type { RecordTarget, Signal, SlottedSpan } from '../ring/reader.js'

/** The target of one thread's or descendant's records. */
export interface ThreadTarget extends RecordTarget {
  /** Looks at the spans that are open now; only where they would not survive this process. */
  open?(spans: Iterable<SlottedSpan>): void
  /** What was handed to another way before, and did not get through there. */
  resume?(unsent: readonly Unsent[]): void
  /** All has been handed over. */
  end(): void
}

export interface Destination {
  thread(entry: ThreadEntry): ThreadTarget
  /** The target of a descendant's records. Its `spans` keeps to the receipts. */
  process(resource: Uint8Array): ThreadTarget
  /** Merges what a thread of this process measures, or hands it on. */
  measure(thread: number, source: CellSource): MergedSource
  /** Where what a descendant measures is merged, by its encoded Resource. */
  measures(resource: Uint8Array): Pick<MergedMetrics, 'add'> | undefined
  /** There may be descendants from now on, and what they write is read a little later than what threads do. */
  expectDescendants?(): void
  /** A child of this process has ended, and this process does not read what it left. */
  childEnded?(pid: number, reason: string, time: bigint): void
  /** Spans or log records that were lost before they got here. */
  lost(cause: string, count: number, signal: Signal): void
  /** Where descendants write and nobody else reads any more: it is this process's to do now. */
  readonly inherited?: string | undefined
  /** After records were handed over, and from time to time: does what is due. */
  settle(): void
  /** Milliseconds until something is due; `Infinity` if nothing is. */
  readonly due: number
  /** Milliseconds between two looks at the rings, while there is something to do. */
  readonly pace: number
  /**
   * All that this process had to say has been handed over and written: makes sure that somebody will read it.
   * @param deadline Milliseconds of `monotonicNow`.
   */
  conclude?(deadline: number): Promise<void>
  /**
   * Takes everything to its end.
   * @param deadline Milliseconds of `monotonicNow`; spans that have not arrived by then are dropped, if this is the `final` flush.
   */
  flush(deadline: number, final: boolean): Promise<void>
  /** Of the spans that are exported here; undefined where none are. */
  readonly accounts: Accounts | undefined
}

/** Hands on what another way did not take. */
export function resume(target: RecordTarget, unsent: readonly Unsent[]): void {
  for (const { scope, bytes, count } of unsent) {
    if (scope !== undefined) target.spans(scope, bytes, count)
    else target.logged?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }
}
