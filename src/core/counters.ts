import { shared } from './shared.js'

const counts = shared('core.counters', () => new Map<string, number>())

/**
 * Counts something that was ignored or lost in this thread.
 *
 * @param cause what and why, as `subject.reason` (`tracestate.member`). A constant: never made from input, so that the map stays small.
 */
export function count(cause: string, by = 1): void {
  counts.set(cause, (counts.get(cause) ?? 0) + by)
}

/** What was counted in this thread since it started, by cause. A live view. */
export function counters(): ReadonlyMap<string, number> {
  return counts
}
