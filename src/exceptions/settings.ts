import { shared } from '../core/shared.js'

/** How errors are described in this thread, also by the copy in `describing.cjs`. */
export const settings = shared('exceptions.settings', () => ({
  /** Stacks are told as they are. */
  stacksAreLeft: false,
  /** Own text fields that are recorded beside those that hold no values; `*` for all but those that look like secrets. */
  fields: new Set<string>() as ReadonlySet<string>,
}))

/** Lets stacks be told as they are, in this thread. */
export function leaveStacks(): void {
  settings.stacksAreLeft = true
}

/** Names the own text fields of errors that this thread's descriptions hold beside those that are known to hold no values. */
export function recordErrorFields(names: readonly string[]): void {
  settings.fields = new Set(names)
}
