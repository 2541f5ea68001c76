/** The configuration that holds here: every variable with the value that it comes to. No secrets: of headers and attributes the names alone. */
import { type Config, readConfig } from '../../config/config.js'
import { disabledNames } from '../../config/disabled.js'
import { configFileOf } from '../../config/file/config-file-of.js'
import { readLoggingConfig } from '../../config/logs.js'
import { type OtlpConfig, redactUrl, type Signal, shownEndpoint } from '../../config/otlp.js'
import { MAX_INTEGER } from '../../config/variables.js'
import { TRANSACTION } from '../../core/variables.js'
import { shownName } from './finding.js'

/** A variable, or several for one value, the one that counts first. */
export interface Entry {
  readonly variables: readonly string[]
  /** Undefined where there is none. */
  readonly value: string | undefined
}

const NOTHING = '(none)'

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(','))
const keys = (values: object): string | undefined => {
  const names = Object.keys(values)
  return names.length === 0 ? undefined : `${names.join(', ')} (values are not shown)`
}
const count = (value: number | undefined): string | undefined =>
  value === undefined
    ? undefined
    : value === Number.POSITIVE_INFINITY || value === MAX_INTEGER
      ? 'no limit'
      : String(value)

function sampler({ sampler: { kind, parentBased } }: Config): string {
  return `${parentBased ? 'parentbased_' : ''}${kind}`
}

/** It counts with gRPC alone. */
function insecure({ protocol, url }: OtlpConfig): string | undefined {
  return protocol === 'grpc' ? String(!url.startsWith('https:')) : undefined
}

function otlpEntries(signal: Signal, config: OtlpConfig): Entry[] {
  const named = (name: string): string[] => [
    `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`,
    `OTEL_EXPORTER_OTLP_${name}`,
  ]
  return [
    { variables: named('ENDPOINT'), value: shownEndpoint(config) },
    { variables: named('INSECURE'), value: insecure(config) },
    { variables: named('HEADERS'), value: keys(config.headers) },
    { variables: named('PROTOCOL'), value: config.protocol },
    { variables: named('COMPRESSION'), value: config.compression },
    { variables: named('TIMEOUT'), value: count(config.timeout) },
    { variables: named('CERTIFICATE'), value: config.certificate },
    { variables: named('CLIENT_KEY'), value: config.clientKey },
    { variables: named('CLIENT_CERTIFICATE'), value: config.clientCertificate },
  ]
}

function tracingEntries(config: Config, env: NodeJS.ProcessEnv): Entry[] {
  const { limits, batch } = config
  return [
    {
      variables: ['OTEL_SERVICE_NAME'],
      value: config.serviceName ?? config.resourceAttributes['service.name'],
    },
    { variables: ['OTEL_RESOURCE_ATTRIBUTES'], value: keys(config.resourceAttributes) },
    {
      variables: ['OTEL_NODE_RESOURCE_DETECTORS'],
      value: config.detectors.names.length === 0 ? undefined : list(config.detectors.names),
    },
    { variables: ['OTEL_SDK_DISABLED'], value: String(config.disabled) },
    { variables: ['OTEL_LOG_LEVEL'], value: config.logLevel },
    { variables: ['OTEL_PROPAGATORS'], value: list(config.propagators) },
    { variables: ['OTEL_TRACES_SAMPLER'], value: sampler(config) },
    {
      variables: ['OTEL_TRACES_SAMPLER_ARG'],
      value: config.sampler.kind === 'traceidratio' ? String(config.sampler.ratio) : undefined,
    },
    {
      variables: ['OTEL_NODE_DISABLED_INSTRUMENTATIONS'],
      value:
        disabledNames(env)
          .filter((name) => name !== '')
          .join(',') || undefined,
    },
    {
      variables: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
      value: count(limits.attributeCount),
    },
    {
      variables: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      value: count(limits.attributeValueLength),
    },
    { variables: ['OTEL_SPAN_EVENT_COUNT_LIMIT'], value: count(limits.eventCount) },
    { variables: ['OTEL_SPAN_LINK_COUNT_LIMIT'], value: count(limits.linkCount) },
    { variables: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'], value: count(limits.attributesPerEvent) },
    { variables: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'], value: count(limits.attributesPerLink) },
    { variables: ['OTEL_TRACES_EXPORTER'], value: list(config.exporters) },
    ...(config.exporters.includes('otlp') ? otlpEntries('traces', config.otlp) : []),
    { variables: ['OTEL_BSP_SCHEDULE_DELAY'], value: count(batch.scheduleDelay) },
    { variables: ['OTEL_BSP_EXPORT_TIMEOUT'], value: count(batch.exportTimeout) },
    { variables: ['OTEL_BSP_MAX_QUEUE_SIZE'], value: count(batch.maxQueueSize) },
    { variables: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], value: count(batch.maxExportBatchSize) },
  ]
}

function metricsEntries({ metrics, exponential, exemplars, transactionMetrics }: Config): Entry[] {
  const names = [...(metrics?.otlp ? ['otlp'] : []), ...(metrics?.prometheus ? ['prometheus'] : [])]
  const exporter: Entry = { variables: ['OTEL_METRICS_EXPORTER'], value: list(names) }
  if (metrics === undefined) return [exporter]
  const { otlp, prometheus } = metrics
  return [
    exporter,
    { variables: ['OTEL_METRIC_EXPORT_INTERVAL'], value: count(metrics.interval) },
    { variables: ['OTEL_METRIC_EXPORT_TIMEOUT'], value: count(metrics.timeout) },
    { variables: ['OTEL_METRICS_EXEMPLAR_FILTER'], value: exemplars ? 'trace_based' : 'always_off' },
    ...(otlp === undefined
      ? []
      : [
          ...otlpEntries('metrics', otlp),
          { variables: ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'], value: metrics.temporality },
          {
            variables: ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'],
            value: exponential ? 'base2_exponential_bucket_histogram' : 'explicit_bucket_histogram',
          },
        ]),
    ...(prometheus === undefined
      ? []
      : [
          { variables: ['OTEL_EXPORTER_PROMETHEUS_HOST'], value: prometheus.host },
          { variables: ['OTEL_EXPORTER_PROMETHEUS_PORT'], value: String(prometheus.port) },
        ]),
    { variables: ['THREADSPAN_TRANSACTION_METRICS'], value: transactionMetrics.join(',') || undefined },
  ]
}

function logsEntries({ logs }: Config, env: NodeJS.ProcessEnv): Entry[] {
  const { fields, console, errors, attributeCount, attributeValueLength } = readLoggingConfig(env)
  const exporter = { variables: ['OTEL_LOGS_EXPORTER'], value: list(logs?.exporters ?? []) }
  const exported =
    logs === undefined
      ? []
      : [
          ...(logs.exporters.includes('otlp') ? otlpEntries('logs', logs.otlp) : []),
          { variables: ['OTEL_BLRP_SCHEDULE_DELAY'], value: count(logs.batch.scheduleDelay) },
          { variables: ['OTEL_BLRP_EXPORT_TIMEOUT'], value: count(logs.batch.exportTimeout) },
          { variables: ['OTEL_BLRP_MAX_QUEUE_SIZE'], value: count(logs.batch.maxQueueSize) },
          { variables: ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'], value: count(logs.batch.maxExportBatchSize) },
          { variables: ['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT'], value: count(attributeCount) },
          { variables: ['OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT'], value: count(attributeValueLength) },
        ]
  return [
    exporter,
    ...exported,
    { variables: ['THREADSPAN_LOG_FIELDS'], value: fields },
    { variables: ['THREADSPAN_LOG_CONSOLE'], value: String(console) },
    { variables: ['THREADSPAN_LOG_ERRORS'], value: String(errors) },
  ]
}

function centralEntries({ central }: Config): Entry[] {
  if (central === undefined) return [{ variables: ['THREADSPAN_CENTRAL_CONFIG'], value: undefined }]
  const { form, url, headers, interval, certificate, clientKey, clientCertificate } = central
  if (form === 'agents') {
    return [
      { variables: ['THREADSPAN_CENTRAL_CONFIG'], value: redactUrl(url) },
      { variables: ['THREADSPAN_CENTRAL_CONFIG_HEADERS'], value: keys(headers) },
    ]
  }
  return [
    { variables: ['ELASTIC_OTEL_OPAMP_ENDPOINT'], value: redactUrl(url) },
    { variables: ['ELASTIC_OTEL_OPAMP_HEADERS'], value: keys(headers) },
    { variables: ['ELASTIC_OTEL_OPAMP_CERTIFICATE'], value: certificate },
    { variables: ['ELASTIC_OTEL_OPAMP_CLIENT_KEY'], value: clientKey },
    { variables: ['ELASTIC_OTEL_OPAMP_CLIENT_CERTIFICATE'], value: clientCertificate },
    { variables: ['ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL'], value: count(interval) },
  ]
}

function ownEntries(config: Config, env: NodeJS.ProcessEnv): Entry[] {
  return [
    { variables: ['THREADSPAN_ERRORS'], value: config.errors },
    { variables: ['THREADSPAN_ERROR_FIELDS'], value: config.errorFields.join(',') || undefined },
    { variables: ['THREADSPAN_EXIT_TIMEOUT'], value: count(config.exitTimeout) },
    { variables: ['THREADSPAN_FILE'], value: config.exporters.includes('file') ? config.file : undefined },
    { variables: ['THREADSPAN_IGNORE_URLS'], value: config.ignoreUrls.join(',') || undefined },
    { variables: ['THREADSPAN_RING_SIZE'], value: count(config.ringSize) },
    { variables: ['THREADSPAN_SOURCE_MAPS'], value: String(config.sourceMaps) },
    { variables: ['THREADSPAN_SPOOL'], value: config.spool },
    { variables: ['THREADSPAN_SURFACERS'], value: config.surfacers.join(',') || undefined },
    { variables: ['THREADSPAN_SURFACER_URL'], value: config.surfacerUrl && redactUrl(config.surfacerUrl) },
    { variables: [TRANSACTION], value: env[TRANSACTION] || undefined },
  ]
}

/** All that an environment comes to. */
export function configurationOf(env: NodeJS.ProcessEnv): Entry[] {
  const { config } = readConfig(env)
  return [
    { variables: ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE'], value: configFileOf(env) },
    ...tracingEntries(config, env),
    ...metricsEntries(config),
    ...logsEntries(config, env),
    ...centralEntries(config),
    ...ownEntries(config, env),
  ]
}

/** Lines of a table: the variable, what it comes to, and whether the environment says so. */
export function configurationLines(env: NodeJS.ProcessEnv): string[] {
  const rows = configurationOf(env).map(({ variables, value }) => {
    const set = variables.find((variable) => (env[variable] ?? '').trim() !== '')
    const text = `${shownName(value ?? NOTHING)}${set === undefined ? '' : '  (set)'}`
    return { name: set ?? variables[0]!, text }
  })
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows.map(({ name, text }) => `${name.padEnd(width)}  ${text}`)
}
