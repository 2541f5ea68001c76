import type { Variables } from './variables.js'

export type MetricsExporterName = 'otlp' | 'prometheus'

/**
 * `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`: whether histograms have buckets of exponential size. Prometheus' text has no way to
 * tell of them: where that is exported too, they have those that were advised.
 */
export function isExponential(variables: Variables, exporters: readonly MetricsExporterName[]): boolean {
  if (!exporters.includes('otlp')) return false
  const known = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const
  const name = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
  const word = variables.word(name, known, 'explicit_bucket_histogram is used')
  if (word !== 'base2_exponential_bucket_histogram') return false
  if (!exporters.includes('prometheus')) return true
  variables.warn(
    'THREADSPAN_ENV_UNSUPPORTED',
    name,
    'Prometheus is exported too; explicit_bucket_histogram is used',
  )
  return false
}

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
