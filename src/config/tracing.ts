import { metricsExporters } from './metrics-exporters.js'
import { type ConfigWarning, type Environment, Variables } from './variables.js'

/**
 * What every thread needs of the configuration. It is part of the file that is preloaded into each of them: nothing
 * of exporters, resources or Node's modules belongs here.
 */

/** Which root spans are recorded. The parent-based samplers follow the parent where there is one. */
export interface SamplerConfig {
  readonly kind: 'always_on' | 'always_off' | 'traceidratio'
  /** True for the `parentbased_*` samplers. */
  readonly parentBased: boolean
  /** 0 to 1; the share of traces for `traceidratio`, 1 for `always_on` and 0 for `always_off`. */
  readonly ratio: number
}

/** OpenTelemetry's span limits (SDK specification, "Span Limits" and "Attribute Limits"). */
export interface SpanLimits {
  readonly attributeCount: number
  /** Characters; `Infinity` when there is no limit. */
  readonly attributeValueLength: number
  readonly eventCount: number
  readonly linkCount: number
  readonly attributesPerEvent: number
  readonly attributesPerLink: number
}

/** Propagators that `OTEL_PROPAGATORS` may name. */
export type PropagatorName = 'tracecontext' | 'baggage' | 'b3' | 'b3multi' | 'jaeger'

/** The part of the configuration that every thread reads. */
export interface TracingConfig {
  /** `OTEL_SDK_DISABLED`: nothing is recorded; contexts still travel. */
  readonly disabled: boolean
  readonly sampler: SamplerConfig
  readonly limits: SpanLimits
  readonly propagators: readonly PropagatorName[]
  /** `THREADSPAN_RING_SIZE`: bytes of the Ring of one thread. */
  readonly ringSize: number
  /** `THREADSPAN_EXIT_TIMEOUT`: milliseconds that the end of the process waits for the last export at most. */
  readonly exitTimeout: number
  /** `THREADSPAN_ERRORS`: how errors that nobody catches are traced to their spans: by the context, or by `async_hooks` too. */
  readonly errors: 'context' | 'domain'
  /** `THREADSPAN_SOURCE_MAPS`: stacks are told in the terms of the sources, where there are source maps. */
  readonly sourceMaps: boolean
  /** `THREADSPAN_ERROR_FIELDS`: own text fields of errors that are recorded beside those that are known to hold no values. */
  readonly errorFields: readonly string[]
  /** `THREADSPAN_IGNORE_URLS`: patterns of paths whose requests are not recorded. */
  readonly ignoreUrls: readonly string[]
  /** Whether `OTEL_METRICS_EXPORTER` names where metrics go: nothing is measured otherwise. */
  readonly measures: boolean
  /** Whether `THREADSPAN_SURFACERS` names anybody who is told of each value. */
  readonly surfaces: boolean
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
const REMOTE_SAMPLERS = ['jaeger_remote', 'parentbased_jaeger_remote', 'xray']
const PROPAGATORS = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] as const
const OTHER_PROPAGATORS = ['xray', 'ottrace']

const ATTRIBUTE_COUNT = 128
const RING_SIZE = 1024 * 1024
const EXIT_TIMEOUT = 2000

function readSampler(variables: Variables): SamplerConfig {
  const name = variables.word(
    'OTEL_TRACES_SAMPLER',
    SAMPLERS,
    'parentbased_always_on is used',
    REMOTE_SAMPLERS,
  )
  const parentBased = name === undefined || name.startsWith('parentbased_')
  const kind = (name ?? 'always_on').replace('parentbased_', '') as SamplerConfig['kind']
  if (kind !== 'traceidratio') return { kind, parentBased, ratio: kind === 'always_on' ? 1 : 0 }
  return { kind, parentBased, ratio: readRatio(variables) }
}

function readRatio(variables: Variables): number {
  const text = variables.text('OTEL_TRACES_SAMPLER_ARG')
  if (text === undefined) return 1
  const ratio = /^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (ratio >= 0 && ratio <= 1) return ratio
  variables.invalid('OTEL_TRACES_SAMPLER_ARG', 'the probability is no number from 0 to 1; 1 is used')
  return 1
}

function readLimits(variables: Variables): SpanLimits {
  const limit = (variable: string, fallback: number): number =>
    variables.integer(variable, fallback === Number.POSITIVE_INFINITY ? 'no limit' : fallback) ?? fallback
  // A limit of one model goes before the general one ("Attribute Limits": first the model-specific, then the global).
  const count = limit('OTEL_ATTRIBUTE_COUNT_LIMIT', ATTRIBUTE_COUNT)
  const length = limit('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY)
  return {
    attributeCount: limit('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', count),
    attributeValueLength: limit('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', length),
    eventCount: limit('OTEL_SPAN_EVENT_COUNT_LIMIT', ATTRIBUTE_COUNT),
    linkCount: limit('OTEL_SPAN_LINK_COUNT_LIMIT', ATTRIBUTE_COUNT),
    attributesPerEvent: limit('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', count),
    attributesPerLink: limit('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', count),
  }
}

/** As many as central configuration may give, and as long. */
const MOST_PATTERNS = 100
const MOST_CHARACTERS = 512

function readPatterns(variables: Variables, variable: string): string[] {
  const given = (variables.text(variable) ?? '')
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
  const usable = given.filter(({ length }) => length <= MOST_CHARACTERS).slice(0, MOST_PATTERNS)
  if (usable.length < given.length) {
    const left = `${given.length - usable.length} of ${given.length} patterns are left out`
    variables.invalid(
      variable,
      `at most ${MOST_PATTERNS} patterns of at most ${MOST_CHARACTERS} characters are used; ${left}`,
    )
  }
  return usable
}

/** Reads into `variables`, which gathers the warnings. */
export function tracingConfig(variables: Variables): TracingConfig {
  const defaults: PropagatorName[] = ['tracecontext', 'baggage']
  return {
    disabled: variables.boolean('OTEL_SDK_DISABLED'),
    sampler: readSampler(variables),
    limits: readLimits(variables),
    propagators:
      variables.words('OTEL_PROPAGATORS', PROPAGATORS, 'it is left out', OTHER_PROPAGATORS) ?? defaults,
    ringSize:
      variables.integer('THREADSPAN_RING_SIZE', RING_SIZE, 64 * 1024, 1024 * 1024 * 1024) ?? RING_SIZE,
    exitTimeout: variables.integer('THREADSPAN_EXIT_TIMEOUT', EXIT_TIMEOUT) ?? EXIT_TIMEOUT,
    errors:
      variables.word('THREADSPAN_ERRORS', ['context', 'domain'] as const, 'context is used') ?? 'context',
    sourceMaps:
      variables.word('THREADSPAN_SOURCE_MAPS', ['true', 'false'] as const, 'true is used') !== 'false',
    errorFields: (variables.text('THREADSPAN_ERROR_FIELDS') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    ignoreUrls: readPatterns(variables, 'THREADSPAN_IGNORE_URLS'),
    measures: (metricsExporters(variables) ?? []).length > 0,
    surfaces: variables.text('THREADSPAN_SURFACERS') !== undefined,
  }
}

/** The part of the configuration that every thread reads. It is pure and never throws. */
export function readTracingConfig(env: Environment): {
  config: TracingConfig
  warnings: readonly ConfigWarning[]
} {
  const variables = new Variables(env)
  return { config: tracingConfig(variables), warnings: variables.warnings }
}
