import type { Variables } from './variables.js'

export type MetricsExporterName = 'otlp' | 'prometheus'

/**
 * `OTEL_METRICS_EXPORTER`; undefined where it is not set. The specification's default is "otlp"; whoever has a backend for traces alone would
 * be told of a failure that is none.
 */
export function metricsExporters(variables: Variables): MetricsExporterName[] | undefined {
  const known = ['otlp', 'prometheus'] as const
  return variables.words('OTEL_METRICS_EXPORTER', known, 'it is left out', [
    'console',
    'logging',
    'otlp/stdout',
  ])
}
