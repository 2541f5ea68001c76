/** `tracer_provider` of a configuration file, as variables. */
import { otlpHttp, type Variables } from './exporters.js'
import { ConfigFileError, type Section } from './section.js'

/** What a sampler comes to: our own by name, or undefined for one that is not offered. */
interface Sampler {
  readonly name: string
  readonly ratio: string | undefined
}

const PARENTS = {
  remote_parent_sampled: 'always_on',
  remote_parent_not_sampled: 'always_off',
  local_parent_sampled: 'always_on',
  local_parent_not_sampled: 'always_off',
} as const

function plainSampler(section: Section): Sampler | undefined {
  const name = section.only()
  const inner = section.section(name)
  if (name === 'always_on' || name === 'always_off') {
    inner.end()
    return { name, ratio: undefined }
  }
  if (name === 'trace_id_ratio_based' || name === 'probability/development') {
    const ratio = inner.ratio('ratio') ?? '1'
    inner.end()
    return { name: 'traceidratio', ratio }
  }
  inner.refuseAll('this sampler is not offered')
  return undefined
}

function parentBased(section: Section): Sampler | undefined {
  const root = section.section('root')
  const sampler = root.keys.length === 0 ? { name: 'always_on', ratio: undefined } : plainSampler(root)
  for (const [key, usual] of Object.entries(PARENTS)) {
    const other = section.section(key)
    if (other.keys.length > 0 && plainSampler(other)?.name !== usual)
      other.refuseAll(`another sampler than ${usual} is not offered here; ${usual} is used`)
  }
  section.end()
  return sampler && { ...sampler, name: `parentbased_${sampler.name}` }
}

function samplerVariables(section: Section): Variables {
  if (section.keys.length === 0) return { OTEL_TRACES_SAMPLER: 'parentbased_always_on' }
  const isParentBased = section.only() === 'parent_based'
  const sampler = isParentBased ? parentBased(section.section('parent_based')) : plainSampler(section)
  return {
    OTEL_TRACES_SAMPLER: sampler?.name ?? 'parentbased_always_on',
    OTEL_TRACES_SAMPLER_ARG: sampler?.ratio,
  }
}

function limitVariables(section: Section): Variables {
  const limits = {
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: section.integer('attribute_value_length_limit'),
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: section.integer('attribute_count_limit'),
    OTEL_SPAN_EVENT_COUNT_LIMIT: section.integer('event_count_limit'),
    OTEL_SPAN_LINK_COUNT_LIMIT: section.integer('link_count_limit'),
    OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: section.integer('event_attribute_count_limit'),
    OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: section.integer('link_attribute_count_limit'),
  }
  section.refuse('attribute_value_depth_limit', 'values of attributes have no depth here')
  section.end()
  return limits
}

/** The exporters of all processors together: each kind once. */
class Exporters {
  readonly names: string[] = []
  variables: Variables = {}

  add(section: Section): void {
    const kind = section.only()
    const inner = section.section(kind)
    const name = { otlp_http: 'otlp', console: 'console', 'otlp_file/development': 'file' }[kind]
    if (name === undefined || this.names.includes(name)) {
      const why = name === undefined ? 'this exporter' : 'a second exporter of a kind'
      inner.refuseAll(`${why} is not offered; it is left out`)
      return
    }
    const variables =
      name === 'otlp' ? otlpHttp(inner, 'TRACES') : name === 'file' ? fileVariables(inner) : {}
    inner.end()
    if (variables === undefined) return
    this.names.push(name)
    Object.assign(this.variables, variables)
  }
}

function fileVariables(section: Section): Variables | undefined {
  const stream = section.text('output_stream') ?? 'stdout'
  if (stream.startsWith('file://') && URL.canParse(stream))
    return { THREADSPAN_FILE: decodeURIComponent(new URL(stream).pathname) }
  section.refuseAll('a stream that is no file is not offered; the exporter is left out')
  return undefined
}

/** The keys of a batch processor, and the least that each may be. */
const BATCH = [
  ['OTEL_BSP_SCHEDULE_DELAY', 'schedule_delay', 0],
  ['OTEL_BSP_EXPORT_TIMEOUT', 'export_timeout', 0],
  ['OTEL_BSP_MAX_QUEUE_SIZE', 'max_queue_size', 1],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'max_export_batch_size', 1],
] as const

/** @param section undefined where there is no tracer provider: nothing is recorded then. */
export function tracerVariables(section: Section | undefined): Variables {
  if (section === undefined) return { OTEL_TRACES_EXPORTER: 'none', OTEL_TRACES_SAMPLER: 'always_off' }
  if (!section.has('processors')) throw new ConfigFileError(section.path, 'it has no processors')
  const exporters = new Exporters()
  const batches: Variables = {}
  for (const processor of section.list('processors')) {
    const kind = processor.only()
    const inner = processor.section(kind)
    if (kind !== 'batch' && kind !== 'simple') {
      inner.refuseAll('this processor is not offered; it is left out')
      continue
    }
    if (!inner.has('exporter')) throw new ConfigFileError(inner.path, 'it has no exporter')
    exporters.add(inner.section('exporter'))
    for (const [variable, key, least] of kind === 'batch' ? BATCH : []) {
      const value = inner.integer(key, least)
      if (batches[variable] !== undefined && value !== batches[variable])
        inner.refuse(key, 'all processors have that of the first')
      batches[variable] ??= value
    }
    if (kind === 'simple') batches['OTEL_BSP_SCHEDULE_DELAY'] ??= '0'
    inner.end()
  }
  const ids = section.section('id_generator')
  if (ids.keys.length > 0 && ids.only() !== 'random')
    ids.refuseAll('another generator of ids is not offered; they are random')
  const variables = {
    ...exporters.variables,
    ...batches,
    ...samplerVariables(section.section('sampler')),
    ...limitVariables(section.section('limits')),
    OTEL_TRACES_EXPORTER: exporters.names.join(',') || 'none',
  }
  section.refuse('tracer_configurator/development', 'it is not offered')
  section.end()
  return variables
}
