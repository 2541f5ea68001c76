/** What a process tells its descendants of what is measured. */
import { MEASURES, SURFACES } from '../ring/layout.js'
import type { ThreadRelay } from './thread-relay.js'

const MEASURED = 1
export const LISTENED = 2

/** What a descendant is told: see `MEASURES` of `core/variables.ts`; undefined where nothing is measured. */
export function measuredByDescendants({ control }: ThreadRelay): string | undefined {
  if (Atomics.load(control, MEASURES) === 0) return undefined
  return String(MEASURED | (Atomics.load(control, SURFACES) === 0 ? 0 : LISTENED))
}

/** What an ancestor has told. */
export function measuredAbove(text: string | undefined): number {
  return /^[1-3]$/.test(text ?? '') ? Number(text) : 0
}
