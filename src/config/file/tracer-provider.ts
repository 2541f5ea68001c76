/** `tracer_provider` of a configuration file, as variables. */
import type { Variables } from './exporters.js'
import { processorVariables } from './processors.js'
import type { Section } from './section.js'

/** What a sampler comes to: our own by name, or undefined for one that is not offered. */
interface Sampler {
  readonly name: string
  readonly ratio: string | undefined
}

const DEFAULT = 'parentbased_always_on'

const PARENTS = {
  remote_parent_sampled: 'always_on',
  remote_parent_not_sampled: 'always_off',
  local_parent_sampled: 'always_on',
  local_parent_not_sampled: 'always_off',
} as const

/** @param otherwise What is used where it is none of these. */
function plainSampler(section: Section, otherwise: string): Sampler | undefined {
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
  inner.refuseAll(`this sampler is not offered; ${otherwise} is used`)
  return undefined
}

function parentBased(section: Section): Sampler | undefined {
  const root = section.section('root')
  const sampler =
    root.keys.length === 0 ? { name: 'always_on', ratio: undefined } : plainSampler(root, 'always_on')
  for (const [key, usual] of Object.entries(PARENTS)) {
    const other = section.section(key)
    const asked = other.keys.length === 0 ? undefined : plainSampler(other, usual)
    if (asked !== undefined && asked.name !== usual)
      other.refuseAll(`another sampler than ${usual} is not offered here; ${usual} is used`)
  }
  section.end()
  return sampler && { ...sampler, name: `parentbased_${sampler.name}` }
}

function samplerVariables(section: Section): Variables {
  if (section.keys.length === 0) return { OTEL_TRACES_SAMPLER: DEFAULT }
  const isParentBased = section.only() === 'parent_based'
  const sampler = isParentBased
    ? parentBased(section.section('parent_based'))
    : plainSampler(section, DEFAULT)
  return {
    OTEL_TRACES_SAMPLER: sampler?.name ?? DEFAULT,
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

/** @param section undefined where there is no tracer provider: nothing is recorded then. */
export function tracerVariables(section: Section | undefined): Variables {
  if (section === undefined) return { OTEL_TRACES_EXPORTER: 'none', OTEL_TRACES_SAMPLER: 'always_off' }
  const { names, variables: exported } = processorVariables(section, 'TRACES')
  const ids = section.section('id_generator')
  if (ids.keys.length > 0 && ids.only() !== 'random')
    ids.refuseAll('another generator of ids is not offered; they are random')
  const variables = {
    ...exported,
    ...samplerVariables(section.section('sampler')),
    ...limitVariables(section.section('limits')),
    OTEL_TRACES_EXPORTER: names.join(',') || 'none',
  }
  section.refuse('tracer_configurator/development', 'it is not offered')
  section.end()
  return variables
}
