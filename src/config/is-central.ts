import type { Environment } from './variables.js'

/** Whether settings come from a server as well: `THREADSPAN_CENTRAL_CONFIG`, or, where that is not set, `ELASTIC_OTEL_OPAMP_ENDPOINT`. */
export function isCentral(env: Environment): boolean {
  const own = env['THREADSPAN_CENTRAL_CONFIG']?.trim()
  return (own || env['ELASTIC_OTEL_OPAMP_ENDPOINT']?.trim() || 'off').toLowerCase() !== 'off'
}
