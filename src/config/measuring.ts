import { type MetricsExporterName, metricsExporters } from './metrics-exporters.js'
import { type Environment, Variables } from './variables.js'

const TRANSACTION_METRICS = ['cpu', 'rss', 'heap', 'modules', 'loop'] as const

/** What is measured of each transaction. */
export type TransactionMetric = (typeof TRANSACTION_METRICS)[number]

/** How a thread measures. It is read with the first thing that is measured. */
export interface MeasuringConfig {
  /** Whether histograms have buckets of exponential size. */
  readonly exponential: boolean
  /** `OTEL_METRICS_EXEMPLAR_FILTER`: whether metrics tell of spans that they were measured in. */
  readonly exemplars: boolean
  /** `THREADSPAN_TRANSACTION_METRICS`: what is measured of each transaction. */
  readonly transactionMetrics: readonly TransactionMetric[]
}

/**
 * `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`: whether histograms have buckets of exponential size. Prometheus' text has no way to
 * tell of them: where that is exported too, they have those that were advised.
 */
function isExponential(variables: Variables, exporters: readonly MetricsExporterName[]): boolean {
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

/** Reads into `variables`, which gathers the warnings. */
export function measuringConfig(variables: Variables): MeasuringConfig {
  const filter = variables.word(
    'OTEL_METRICS_EXEMPLAR_FILTER',
    ['trace_based', 'always_off'] as const,
    'trace_based is used',
    ['always_on'],
  )
  return {
    exponential: isExponential(variables, metricsExporters(variables) ?? []),
    exemplars: filter !== 'always_off',
    transactionMetrics:
      variables.words('THREADSPAN_TRANSACTION_METRICS', TRANSACTION_METRICS, 'it is left out') ?? [],
  }
}

/** It is pure and never throws; of what cannot be used the telemetry thread warns. */
export function readMeasuringConfig(env: Environment): MeasuringConfig {
  return measuringConfig(new Variables(env))
}
