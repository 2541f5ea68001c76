import { effect, signal } from '@preact/signals'
import { recall, remember } from './memory.js'

export type Theme = 'auto' | 'light' | 'dark'
const THEMES: readonly Theme[] = ['auto', 'light', 'dark']

/** What the reader chose; `auto` follows the system. */
export const theme = signal<Theme>(THEMES.find((name) => name === recall('theme')) ?? 'auto')
/** Goes up whenever colours change, so that canvases are painted again. */
export const colours = signal(0)

effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme.value
  remember('theme', theme.value)
  colours.value = colours.peek() + 1
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  colours.value++
})

/** Goes from system to light to dark and round again. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.peek()) + 1) % THEMES.length]!
}

/** The value of a colour token (`--hue-0`) as the browser resolves it in the current theme. */
export function colour(token: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${token})`
  // Under forced colours everything would be the colour of text.
  probe.style.setProperty('forced-color-adjust', 'none')
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}
