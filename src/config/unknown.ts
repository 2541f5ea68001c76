import { nearest } from './nearest.js'
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
  'IGNORE_URLS',
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
  'DEADLINE',
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

/** A warning for each variable that is named as ours are and that nobody reads: it is misspelt, or of another version. */
export function unknownVariables(env: Environment): ConfigWarning[] {
  const warnings: ConfigWarning[] = []
  for (const variable of Object.keys(env)) {
    const name = /^THREADSPAN_(\w{1,64})$/.exec(variable)?.[1]
    if (name === undefined || KNOWN.has(name)) continue
    const near = nearest(name.toUpperCase(), MEANT)
    const hint = near === undefined ? '' : `; did you mean ${PREFIX}${near}?`
    const message = `${variable}: there is no such variable${hint}`
    warnings.push({ code: 'THREADSPAN_ENV_UNKNOWN', variable, message })
  }
  return warnings
}
