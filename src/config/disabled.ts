import type { Environment } from './variables.js'

/** `OTEL_NODE_DISABLED_INSTRUMENTATIONS`: names of what is not to be followed, or told of. */
export function disabledNames(env: Environment): string[] {
  return (env['OTEL_NODE_DISABLED_INSTRUMENTATIONS'] ?? '').split(',').map((name) => name.trim())
}

export function isDisabled(env: Environment, name: string): boolean {
  return disabledNames(env).includes(name)
}
