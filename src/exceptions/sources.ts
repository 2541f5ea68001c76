import { shared } from '../core/shared.js'

/** Whether stacks are told as they are, in this thread. */
export const sources = shared('core.sources', () => ({ areLeft: false }))

/** Lets stacks be told as they are, in this thread. */
export function leaveStacks(): void {
  sources.areLeft = true
}
