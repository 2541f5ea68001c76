import { type BatchConfig, batchConfig } from './batch.js'
import { type CentralConfig, centralConfig } from './central.js'
import { type DetectorsConfig, detectorsConfig } from './detectors.js'
import { type LogLevel, readLogLevel } from './log-level.js'
import { type LogsConfig, logsConfig } from './logs.js'
import { type MeasuringConfig, measuringConfig } from './measuring.js'
import { type MetricsConfig, metricsConfig } from './metrics.js'
import { type OtlpConfig, otlpConfig } from './otlp.js'
import { type ResourceConfig, resourceConfig } from './resource.js'
import { surfacerNames, surfacerUrl } from './surfacers.js'
import { type TracingConfig, tracingConfig } from './tracing.js'
import { type ConfigWarning, type Environment, Variables } from './variables.js'

/** Destinations that `OTEL_TRACES_EXPORTER` may name; "none" is the empty list. */
export type ExporterName = 'otlp' | 'console' | 'file' | 'waterfall'

export type { BatchConfig } from './batch.js'
export type { LogsConfig } from './logs.js'
export type { MetricsConfig } from './metrics.js'

/** All that the environment says. */
export interface Config extends TracingConfig, MeasuringConfig, ResourceConfig {
  readonly exporters: readonly ExporterName[]
  readonly otlp: OtlpConfig
  /** `THREADSPAN_FILE`: path of the file of OTLP JSON lines. */
  readonly file: string
  /** `THREADSPAN_SPOOL`: folder that keeps what could not be delivered until the next start; undefined when it is not set. */
  readonly spool: string | undefined
  readonly batch: BatchConfig
  /** `OTEL_METRICS_EXPORTER`; undefined when no metrics are exported. */
  readonly metrics: MetricsConfig | undefined
  /** `OTEL_LOGS_EXPORTER`; undefined when no log records are exported. */
  readonly logs: LogsConfig | undefined
  /** `THREADSPAN_SURFACERS`: who is told of each value that is measured. */
  readonly surfacers: readonly string[]
  /** Resource detectors of the application's. */
  readonly detectors: DetectorsConfig
  /** `THREADSPAN_SURFACER_URL`; undefined when it is not set. */
  readonly surfacerUrl: string | undefined
  readonly logLevel: LogLevel
  /** Where settings come from beside the environment; undefined where from nowhere. */
  readonly central: CentralConfig | undefined
}

const EXPORTERS = ['otlp', 'console', 'file', 'waterfall'] as const
const OTHER_EXPORTERS = ['zipkin', 'jaeger', 'logging', 'otlp/stdout']

/**
 * Reads the whole configuration. It is pure, and never throws: what cannot be used gets one warning, and the default
 * holds (OpenTelemetry Environment Variable Specification).
 */
export function readConfig(env: Environment): { config: Config; warnings: readonly ConfigWarning[] } {
  const variables = new Variables(env)
  const config: Config = {
    ...tracingConfig(variables),
    ...measuringConfig(variables),
    ...resourceConfig(variables),
    exporters: variables.words('OTEL_TRACES_EXPORTER', EXPORTERS, 'it is left out', OTHER_EXPORTERS) ?? [
      'otlp',
    ],
    otlp: otlpConfig(variables, 'traces'),
    file: variables.text('THREADSPAN_FILE') ?? 'threadspan.jsonl',
    spool: variables.text('THREADSPAN_SPOOL'),
    batch: batchConfig(variables, 'BSP'),
    metrics: metricsConfig(variables),
    logs: logsConfig(variables),
    detectors: detectorsConfig(variables),
    surfacers: surfacerNames(variables),
    surfacerUrl: surfacerUrl(variables),
    logLevel: readLogLevel(variables),
    central: centralConfig(variables),
  }
  return { config, warnings: variables.warnings }
}
