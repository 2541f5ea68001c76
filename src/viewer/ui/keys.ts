import { signal } from '@preact/signals'
import { recall, remember } from './memory.js'

/** Whether single keys act. Off for readers whose speech input or other tools send letters (WCAG 2.1.4). */
export const singleKeys = signal(recall('keys') !== 'off')

/** Turns single keys on or off, and remembers it. */
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on
  remember('keys', on ? 'on' : 'off')
}

type Action = (event: KeyboardEvent) => void
const stack: Readonly<Record<string, Action>>[] = []

/** Binds keys (as in `KeyboardEvent.key`) for as long as a screen is shown; the latest binding of a key wins. */
export function bindKeys(keys: Readonly<Record<string, Action>>): () => void {
  stack.push(keys)
  return () => {
    const at = stack.indexOf(keys)
    if (at >= 0) stack.splice(at, 1)
  }
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key.length === 1 && !singleKeys.peek()) return
  const target = event.target as Element
  if (target.closest('input, select, textarea, dialog') !== null) return
  for (let i = stack.length - 1; i >= 0; i--) {
    const action = stack[i]![event.key]
    if (action === undefined) continue
    event.preventDefault()
    action(event)
    return
  }
})
