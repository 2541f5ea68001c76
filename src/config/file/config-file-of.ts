import type { Environment } from '../variables.js'

/** A file of this variable: the first one is the specification's, the second what it was called before. */
export function configFileOf(env: Environment): string | undefined {
  return env['OTEL_CONFIG_FILE']?.trim() || env['OTEL_EXPERIMENTAL_CONFIG_FILE']?.trim() || undefined
}
