import type { BatchConfig } from './batch.js'
import { batchConfig } from './batch.js'
import { type OtlpConfig, otlpConfig } from './otlp.js'
import { type Environment, Variables } from './variables.js'

/** Destinations that `OTEL_LOGS_EXPORTER` may name; "none" is the empty list. */
export type LogsExporterName = 'otlp' | 'console' | 'file'

/** Names of the ids that are added to the application's own lines: `THREADSPAN_LOG_FIELDS`. */
export type LogFieldsName = 'otel' | 'ecs' | 'both' | 'none'

/** How log records are exported: `OTEL_LOGS_EXPORTER`, `OTEL_BLRP_*`, `OTEL_EXPORTER_OTLP_*`. */
export interface LogsConfig {
  readonly exporters: readonly LogsExporterName[]
  readonly otlp: OtlpConfig
  readonly batch: BatchConfig
}

/** What each thread needs of it. */
export interface LoggingConfig {
  /** Whether log records are exported. */
  readonly exports: boolean
  readonly fields: LogFieldsName
  /** `THREADSPAN_LOG_CONSOLE`: what goes through `console` makes log records. */
  readonly console: boolean
  /** `THREADSPAN_LOG_ERRORS`: the error of a record is recorded on the span that is active, as `captureError` does. */
  readonly errors: boolean
  /** Attributes of a record at most (`OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT`). */
  readonly attributeCount: number
  /** Characters of a value; `Infinity` when there is no limit. */
  readonly attributeValueLength: number
}

const ATTRIBUTE_COUNT = 128

/**
 * `OTEL_LOGS_EXPORTER`; undefined where it is not set. The specification's default is "otlp"; whoever has a backend for traces alone would
 * be told of a failure that is none.
 */
export function logsExporters(variables: Variables): LogsExporterName[] | undefined {
  const known = ['otlp', 'console', 'file'] as const
  return variables.words('OTEL_LOGS_EXPORTER', known, 'it is left out', ['logging', 'otlp/stdout'])
}

/** Reads into `variables`, which gathers the warnings. Undefined when no log records are exported. */
export function logsConfig(variables: Variables): LogsConfig | undefined {
  const exporters = logsExporters(variables)
  // Read in any case: what is wrong with them is told.
  loggingConfig(variables)
  if (exporters === undefined || exporters.length === 0) return undefined
  return { exporters, otlp: otlpConfig(variables, 'logs'), batch: batchConfig(variables, 'BLRP') }
}

/** What each thread reads, once it logs. It is pure and never throws. */
export function readLoggingConfig(env: Environment): LoggingConfig {
  return loggingConfig(new Variables(env))
}

function loggingConfig(variables: Variables): LoggingConfig {
  const names = ['otel', 'ecs', 'both', 'none'] as const
  const limit = (name: string, otherwise: number | string): number | undefined =>
    variables.integer(`OTEL_LOGRECORD_ATTRIBUTE_${name}`, otherwise) ??
    variables.integer(`OTEL_ATTRIBUTE_${name}`, otherwise)
  return {
    exports: (logsExporters(variables) ?? []).length > 0,
    fields: variables.word('THREADSPAN_LOG_FIELDS', names, 'otel is used') ?? 'otel',
    console: variables.boolean('THREADSPAN_LOG_CONSOLE'),
    errors: variables.boolean('THREADSPAN_LOG_ERRORS'),
    attributeCount: limit('COUNT_LIMIT', ATTRIBUTE_COUNT) ?? ATTRIBUTE_COUNT,
    attributeValueLength: limit('VALUE_LENGTH_LIMIT', 'no limit') ?? Number.POSITIVE_INFINITY,
  }
}
