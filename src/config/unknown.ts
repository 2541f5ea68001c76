import type { ConfigWarning, Environment } from './variables.js'

const PREFIX = 'THREADSPAN_'

/** Our own variables that are read, without the prefix. */
export const OWN_VARIABLES: readonly string[] = [
  'CENTRAL_CONFIG',
  'CENTRAL_CONFIG_HEADERS',
  'ERRORS',
  'ERROR_FIELDS',
  'EXIT_TIMEOUT',
  'FILE',
  'LOG_CONSOLE',
  'LOG_ERRORS',
  'LOG_FIELDS',
  'RING_SIZE',
  'SOURCE_MAPS',
  'SPOOL',
  'SURFACERS',
  'SURFACER_URL',
  'TRANSACTION_METRICS',
]

/** Those that processes pass to each other. */
export const PASSED_VARIABLES: readonly string[] = [
  'ANCHOR',
  'DOCTOR',
  'ENVIRONMENT',
  'EXPORTER',
  'LINK',
  'MEASURES',
  'TRANSACTION',
  'VALUES',
]

/** Those that commands of the package read. */
export const COMMAND_VARIABLES: readonly string[] = ['FROM_HEADERS', 'FROM_PASSWORD', 'FROM_USER']

/** What a user can have meant: one of those that processes pass to each other is for users as well. */
const MEANT: readonly string[] = [...OWN_VARIABLES, ...COMMAND_VARIABLES, 'TRANSACTION']

const KNOWN = new Set([...OWN_VARIABLES, ...PASSED_VARIABLES, ...COMMAND_VARIABLES])

/** Mistakes in a name that is still taken for a misspelt one. */
const MOST_EDITS = 2

/**
 * Letters to add, leave out, replace or swap with the next until `a` is `b`.
 *
 * @returns more than `most` where that many do not suffice, which bounds the work.
 */
function edits(a: string, b: string, most: number): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  if (at === a.length || at === b.length) return a.length + b.length - 2 * at
  if (most === 0) return 1
  const less = (c: string, d: string) => edits(c, d, most - 1)
  const [c, d] = [a.slice(at), b.slice(at)]
  const swapped = c[0] === d[1] && c[1] === d[0] ? less(c.slice(2), d.slice(2)) : most
  return 1 + Math.min(swapped, less(c.slice(1), d), less(c, d.slice(1)), less(c.slice(1), d.slice(1)))
}

function nearest(name: string): string | undefined {
  let best: string | undefined
  let least = MOST_EDITS + 1
  for (const known of MEANT) {
    const distance = edits(name.toUpperCase(), known, MOST_EDITS)
    if (distance < least) [best, least] = [known, distance]
  }
  return best
}

/** A warning for each variable that is named as ours are and that nobody reads: it is misspelt, or of another version. */
export function unknownVariables(env: Environment): ConfigWarning[] {
  const warnings: ConfigWarning[] = []
  for (const variable of Object.keys(env)) {
    const name = /^THREADSPAN_(\w{1,64})$/.exec(variable)?.[1]
    if (name === undefined || KNOWN.has(name)) continue
    const near = nearest(name)
    const hint = near === undefined ? '' : `; did you mean ${PREFIX}${near}?`
    const message = `${variable}: there is no such variable${hint}`
    warnings.push({ code: 'THREADSPAN_ENV_UNKNOWN', variable, message })
  }
  return warnings
}
