import { metricsExporters } from './metrics-exporters.js'
import { type OtlpConfig, otlpConfig } from './otlp.js'
import type { Variables } from './variables.js'

/** Where Prometheus reads metrics: `OTEL_EXPORTER_PROMETHEUS_HOST` and `_PORT`. */
export interface PrometheusConfig {
  readonly host: string
  readonly port: number
}

/** How and when metrics are exported: `OTEL_METRICS_EXPORTER`, `OTEL_METRIC_EXPORT_*`, `OTEL_EXPORTER_OTLP_*`. */
export interface MetricsConfig {
  /** Undefined where they are not sent. */
  readonly otlp: OtlpConfig | undefined
  /** Undefined where they are not read. */
  readonly prometheus: PrometheusConfig | undefined
  /** Milliseconds between two exports. */
  readonly interval: number
  /** Milliseconds that an export may take. */
  readonly timeout: number
  /** Whether sums and histograms are sent as they are, or as what has come since. */
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory'
}

const INTERVAL = 60_000
const TIMEOUT = 30_000
/** Prometheus' own list of ports has it for OpenTelemetry's exporters. */
const PORT = 9464

/** Reads into `variables`, which gathers the warnings. Undefined when no metrics are exported. */
export function metricsConfig(variables: Variables): MetricsConfig | undefined {
  const exporters = metricsExporters(variables)
  if (exporters === undefined || exporters.length === 0) return undefined
  const temporality = variables.word(
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
    ['cumulative', 'delta', 'lowmemory'] as const,
    'cumulative is used',
  )
  return {
    otlp: exporters.includes('otlp') ? otlpConfig(variables, 'metrics') : undefined,
    prometheus: exporters.includes('prometheus') ? prometheusConfig(variables) : undefined,
    interval: variables.integer('OTEL_METRIC_EXPORT_INTERVAL', INTERVAL, 1) ?? INTERVAL,
    timeout: variables.timeout('OTEL_METRIC_EXPORT_TIMEOUT', TIMEOUT) ?? TIMEOUT,
    temporality: temporality ?? 'cumulative',
  }
}

function prometheusConfig(variables: Variables): PrometheusConfig {
  return {
    host: variables.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? 'localhost',
    port: variables.integer('OTEL_EXPORTER_PROMETHEUS_PORT', PORT, 0, 65_535) ?? PORT,
  }
}
