import { webUrl } from './otlp-endpoint.js'
import type { Variables } from './variables.js'

const OURS = ['log', 'http']

/**
 * `THREADSPAN_SURFACERS`: who is told of each value that is measured. Names of ours, and paths of modules: such as begin with `./`, `../`,
 * `/` or `file:`, so that no mistake in a name becomes a module.
 */
export function surfacerNames(variables: Variables): string[] {
  const names: string[] = []
  for (const item of (variables.text('THREADSPAN_SURFACERS') ?? '').split(',')) {
    const name = item.trim()
    if (name === '' || names.includes(name)) continue
    if (OURS.includes(name) || /^(?:\.{0,2}[\\/]|[a-z]:[\\/]|file:)/i.test(name)) names.push(name)
    else
      variables.invalid(
        'THREADSPAN_SURFACERS',
        'a member is neither "log" nor "http" nor a path that begins with "./", "../" or "/"; it is left out',
      )
  }
  return names
}

/** `THREADSPAN_SURFACER_URL`: where the surfacer `http` sends what it is told. It can hold credentials. */
export function surfacerUrl(variables: Variables): string | undefined {
  const text = variables.text('THREADSPAN_SURFACER_URL')
  if (text === undefined || webUrl(text) !== undefined) return text
  variables.invalid(
    'THREADSPAN_SURFACER_URL',
    'the value is no URL that begins with "http://" or "https://"; it is ignored',
  )
  return undefined
}
