import { type LogLevel, readLogLevel } from './log-level.js'
import { type MeasuringConfig, measuringConfig } from './measuring.js'
import { type MetricsConfig, metricsConfig } from './metrics.js'
import { type OtlpConfig, otlpConfig } from './otlp.js'
import { type ResourceConfig, resourceConfig } from './resource.js'
import { surfacerNames, surfacerUrl } from './surfacers.js'
import { type TracingConfig, tracingConfig } from './tracing.js'
import { type ConfigWarning, type Environment, MAX_INTEGER, Variables } from './variables.js'

/** Destinations that `OTEL_TRACES_EXPORTER` may name; "none" is the empty list. */
export type ExporterName = 'otlp' | 'console' | 'file' | 'waterfall'

/** `OTEL_BSP_*`: when spans are exported, and how many are kept for it. */
export interface BatchConfig {
  /** Milliseconds between two exports. */
  readonly scheduleDelay: number
  /** Milliseconds that an export may take. */
  readonly exportTimeout: number
  /** Spans in one export at most; undefined when it is not set. */
  readonly maxExportBatchSize: number | undefined
  /** Spans that wait for export at most; undefined when it is not set. */
  readonly maxQueueSize: number | undefined
}

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
  /** `THREADSPAN_SURFACERS`: who is told of each value that is measured. */
  readonly surfacers: readonly string[]
  /** `THREADSPAN_SURFACER_URL`; undefined when it is not set. */
  readonly surfacerUrl: string | undefined
  readonly logLevel: LogLevel
}

const EXPORTERS = ['otlp', 'console', 'file', 'waterfall'] as const
const OTHER_EXPORTERS = ['zipkin', 'jaeger', 'logging', 'otlp/stdout']

function readBatch(variables: Variables): BatchConfig {
  // A fifth of the specification's: what waits is what a killed process loses.
  const delay = 1000
  const timeout = 30_000
  const maxQueueSize = variables.integer('OTEL_BSP_MAX_QUEUE_SIZE', 'the default', 1)
  let maxExportBatchSize = variables.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'the default', 1)
  if ((maxExportBatchSize ?? 0) > (maxQueueSize ?? MAX_INTEGER)) {
    variables.invalid(
      'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
      `it is larger than the queue; ${maxQueueSize} is used`,
    )
    maxExportBatchSize = maxQueueSize
  }
  return {
    scheduleDelay: variables.integer('OTEL_BSP_SCHEDULE_DELAY', delay) ?? delay,
    exportTimeout: variables.timeout('OTEL_BSP_EXPORT_TIMEOUT', timeout) ?? timeout,
    maxExportBatchSize,
    maxQueueSize,
  }
}

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
    batch: readBatch(variables),
    metrics: metricsConfig(variables),
    surfacers: surfacerNames(variables),
    surfacerUrl: surfacerUrl(variables),
    logLevel: readLogLevel(variables),
  }
  return { config, warnings: variables.warnings }
}
