import { signal } from '@preact/signals'

/** The message at the bottom of the page, read out by screen readers. */
export const toast = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

/** Shows a message for a few seconds. */
export function say(message: string): void {
  toast.value = message
  clearTimeout(timer)
  timer = setTimeout(() => {
    toast.value = ''
  }, 4000)
}

/** Copies a text and says so; where the browser forbids it, the text is shown to be copied by hand. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(`${what} copied`)
  } catch {
    prompt(`Copy ${what.toLowerCase()}:`, text)
  }
}
