/**
 * How much one answer may spend on a search. All is answered in one thread: a search that has to read millions of spans would hold up what
 * arrives and whoever else asks. Work is counted rather than timed, so that the same question has the same answer on any machine.
 */

/** What looking at a span costs, by its columns, by its bytes, and decoded: about 40 ns each. */
export const LOOK = 1
export const READ = 6
export const DECODE = 80

/** About half a second. */
const MOST = 12_000_000

let left = Number.POSITIVE_INFINITY
let asked = 0
let passed = 0

/** An answer, and the share of the traces that were looked at for it, 0 to 1. */
export interface Bounded<T> {
  readonly value: T
  readonly searched: number
}

/** Runs what answers a question; its searches pass over traces once they have spent what they may, newest traces first. */
export function bounded<T>(answer: () => T, most = MOST): Bounded<T> {
  left = most
  asked = passed = 0
  try {
    const value = answer()
    return { value, searched: asked === 0 ? 1 : 1 - passed / asked }
  } finally {
    left = Number.POSITIVE_INFINITY
  }
}

/** Whether there is anything left to spend on one more trace; if not, it counts as passed over. */
export function mayGoOn(): boolean {
  asked++
  if (left > 0) return true
  passed++
  return false
}

/** One more trace has been looked at for an earlier question. */
export function isKnown(): void {
  asked++
}

export function spend(cost: number): void {
  left -= cost
}
