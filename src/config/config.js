import { otlpConfig } from './otlp.js'
import { parsePairs } from './pairs.js'
import { tracingConfig } from './tracing.js'
import { MAX_INTEGER, Variables } from './variables.js'

const EXPORTERS = ['otlp', 'console', 'file', 'waterfall']
const OTHER_EXPORTERS = ['zipkin', 'jaeger', 'logging', 'otlp/stdout']
const LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all']
function readResourceAttributes(variables) {
  const { entries, malformed } = parsePairs(variables.text('OTEL_RESOURCE_ATTRIBUTES') ?? '')
  const attributes = Object.create(null)
  if (malformed > 0) {
    // Resource SDK specification: "In case of any error ... the entire environment variable value SHOULD be discarded".
    variables.invalid(
      'OTEL_RESOURCE_ATTRIBUTES',
      `${malformed} ${malformed === 1 ? 'member is' : 'members are'} no "key=value", percent-encoded; none is used`,
    )
    return attributes
  }
  for (const [key, value] of entries) attributes[key] = value
  return attributes
}
function readBatch(variables) {
  const delay = 5000
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
function readLogLevel(variables) {
  const level = variables.word('OTEL_LOG_LEVEL', LEVELS, 'info is used') ?? 'info'
  return level === 'verbose' || level === 'all' ? 'debug' : level
}
/**
 * Reads the whole configuration. It is pure, and never throws: what cannot be used gets one warning, and the default
 * holds (OpenTelemetry Environment Variable Specification).
 */
export function readConfig(env) {
  const variables = new Variables(env)
  const config = {
    ...tracingConfig(variables),
    serviceName: variables.text('OTEL_SERVICE_NAME'),
    resourceAttributes: readResourceAttributes(variables),
    exporters: variables.words('OTEL_TRACES_EXPORTER', EXPORTERS, 'it is left out', OTHER_EXPORTERS) ?? [
      'otlp',
    ],
    otlp: otlpConfig(variables),
    file: variables.text('THREADSPAN_FILE') ?? 'threadspan.jsonl',
    batch: readBatch(variables),
    logLevel: readLogLevel(variables),
  }
  return { config, warnings: variables.warnings }
}
