import type { Environment } from './variables.js'

/** What says where spans, metrics and log records go. */
const VARIABLES = [
  'OTEL_CONFIG_FILE',
  'OTEL_EXPERIMENTAL_CONFIG_FILE',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'THREADSPAN_FILE',
  ...['TRACES', 'METRICS', 'LOGS'].flatMap((signal) => [
    `OTEL_${signal}_EXPORTER`,
    `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`,
    `OTEL_EXPORTER_OTLP_${signal}_HEADERS`,
  ]),
]

/** Of these, "none" is what holds where they are not set. */
const NONE = /^OTEL_(?:METRICS|LOGS)_EXPORTER$/

/**
 * A short mark of where an environment wants spans to go, by which a child process sees whether it was given a choice of its own. It tells
 * nothing of the values, which can be secrets: it has 32 bits.
 *
 * @returns an empty text where the environment names nothing.
 */
export function exporterChoice(env: Environment): string {
  const values = VARIABLES.map((name) => {
    const value = env[name]?.trim() ?? ''
    return value === 'none' && NONE.test(name) ? '' : value
  })
  if (values.every((value) => value === '')) return ''
  // FNV-1a: it is not for safety, and `node:zlib` is no module to load for it.
  let hash = 0x811c9dc5
  for (const character of values.join('\n')) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  }
  return (hash >>> 0).toString(16)
}

/** Whether an environment names exporters, and others than the process whose mark is `told`. */
export function choosesOther(env: Environment, told: string | undefined): boolean {
  const own = exporterChoice(env)
  return told !== undefined && own !== '' && own !== told
}
