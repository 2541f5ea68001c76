/** `meter_provider` of a configuration file, as variables. */
import { otlp, type Variables } from './exporters.js'
import { ConfigFileError, type Section } from './section.js'

function periodicVariables(section: Section): Variables | undefined {
  const exporter = section.section('exporter')
  const kind = exporter.only()
  const inner = exporter.section(kind)
  if (kind !== 'otlp_http' && kind !== 'otlp_grpc') {
    section.refuseAll(`its exporter ${kind} is not offered; the reader is left out`)
    return undefined
  }
  const temporality = inner.word('temporality_preference', ['cumulative', 'delta', 'low_memory'])
  const variables = {
    ...otlp(inner, 'METRICS', kind),
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality?.replace('_', ''),
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: inner.word('default_histogram_aggregation', [
      'explicit_bucket_histogram',
      'base2_exponential_bucket_histogram',
    ]),
    OTEL_METRIC_EXPORT_INTERVAL: section.integer('interval', 1),
    OTEL_METRIC_EXPORT_TIMEOUT: section.integer('timeout'),
  }
  inner.end()
  refuseMore(section)
  return variables
}

function pullVariables(section: Section): Variables | undefined {
  const exporter = section.section('exporter')
  const kind = exporter.only()
  const inner = exporter.section(kind)
  if (kind !== 'prometheus/development') {
    section.refuseAll(`its exporter ${kind} is not offered; the reader is left out`)
    return undefined
  }
  const variables = {
    OTEL_EXPORTER_PROMETHEUS_HOST: inner.text('host'),
    OTEL_EXPORTER_PROMETHEUS_PORT: inner.integer('port'),
  }
  inner.end()
  refuseMore(section)
  return variables
}

function refuseMore(section: Section): void {
  section.refuse('producers', 'they are not offered')
  section.refuse('cardinality_limits', 'they are not offered')
  section.refuse('max_export_batch_size/development', 'it is not offered')
  section.end()
}

/** Readers of the schema by our names for their exporters. */
const READERS: ReadonlyMap<string, string> = new Map([
  ['periodic', 'otlp'],
  ['pull', 'prometheus'],
])

/** @param section undefined where there is no meter provider: nothing is measured then. */
export function meterVariables(section: Section | undefined): Variables {
  if (section === undefined) return { OTEL_METRICS_EXPORTER: 'none' }
  if (!section.has('readers')) throw new ConfigFileError(section.path, 'it has no readers')
  const names: string[] = []
  const variables: Variables = {}
  for (const reader of section.list('readers')) {
    const kind = reader.only()
    const inner = reader.section(kind)
    const name = READERS.get(kind)
    if (name === undefined || names.includes(name)) {
      inner.refuseAll(
        name === undefined
          ? 'this reader is not offered; it is left out'
          : 'a second reader of a kind is not offered; it is left out',
      )
      continue
    }
    const read = kind === 'periodic' ? periodicVariables(inner) : pullVariables(inner)
    if (read === undefined) continue
    names.push(name)
    Object.assign(variables, read)
  }
  const filter = section.word('exemplar_filter', ['always_on', 'always_off', 'trace_based'])
  section.refuse('views', 'they are not offered')
  section.refuse('meter_configurator/development', 'it is not offered')
  section.end()
  return {
    ...variables,
    OTEL_METRICS_EXEMPLAR_FILTER: filter,
    OTEL_METRICS_EXPORTER: names.join(',') || 'none',
  }
}
