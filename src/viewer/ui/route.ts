import { computed, signal } from '@preact/signals'

/** Where the reader is: `#/trace/abc?view=lanes` is path `['trace', 'abc']` with one parameter. */
export interface Route {
  readonly path: readonly string[]
  readonly params: Readonly<Record<string, string>>
}

const hash = signal(location.hash)
/** Goes up whenever Back, Forward or a link led somewhere; not when the page wrote down what it shows. */
export const arrivals = signal(0)
addEventListener('popstate', arrive)
addEventListener('hashchange', arrive)

function arrive(): void {
  if (hash.peek() === location.hash) return
  hash.value = location.hash
  arrivals.value++
}

/** The current route; everything that can be linked to is in it. */
export const route = computed(() => parseHash(hash.value))

/** Reads a location's hash. Bad percent-encoding is taken as it is. */
export function parseHash(text: string): Route {
  const [path = '', query = ''] = text.replace(/^#?\/?/, '').split('?', 2)
  const params: Record<string, string> = {}
  for (const [key, value] of new URLSearchParams(query)) params[key] = value
  return { path: path.split('/').filter(Boolean).map(decode), params }
}

/** The hash of a route; parameters that are empty or undefined are left out. */
export function href(
  path: readonly string[],
  params: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(key, String(value))
  }
  const tail = query.toString()
  return `#/${path.map(encodeURIComponent).join('/')}${tail === '' ? '' : `?${tail}`}`
}

/** Goes to a route; with `replace`, Back does not return to the one before. */
export function navigate(to: string, replace = false): void {
  if (to === location.hash) return
  if (replace) history.replaceState(history.state, '', to)
  else {
    history.pushState(null, '', to)
    arrivals.value++
  }
  hash.value = location.hash
}

/** Remembers with this entry of the history how far its screen is scrolled. */
export function rememberScroll(top: number): void {
  history.replaceState({ top: Math.round(top) }, '')
}

/** How far the screen of this entry was scrolled when it was left, pixels; 0 for a new one. */
export function rememberedScroll(): number {
  return Number((history.state as { top?: number } | null)?.top ?? 0)
}

/** Changes some parameters of the current route; `undefined` removes one. */
export function setParams(
  changes: Readonly<Record<string, string | number | undefined>>,
  replace = false,
): void {
  const { path, params } = route.peek()
  navigate(href(path, { ...params, ...changes }), replace)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
