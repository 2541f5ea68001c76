/**
 * Metrics in Prometheus' text format (version 0.0.4), named as OpenTelemetry's "Prometheus and OpenMetrics Compatibility" specification has
 * it: units and `_total` as suffixes, scopes and resources as labels.
 */
import type { CollectedGroup } from '../metrics/groups.js'
import type { HistogramPoint, Metric, NumberPoint } from '../otlp/metrics-types.js'
import type { Attributes, Scope } from '../otlp/types.js'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** UCUM to Prometheus' names of base units. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
}
const PER: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
}

/** A metric of one name: those of several scopes and resources are told together. */
interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly lines: string[]
}

/** All groups as one text; the first one's resource is the target. */
export function prometheusText(groups: readonly CollectedGroup[]): string {
  const families = new Map<string, Family>()
  groups.forEach(({ attributes, scopes }, i) => {
    // Of another service than the target: told apart by that.
    const more: Attributes = i === 0 ? {} : { service_name: String(attributes['service.name'] ?? '') }
    for (const { scope, metrics } of scopes)
      for (const metric of metrics) addMetric(families, metric, { ...scopeLabels(scope), ...more })
  })
  const target = labelsOf(groups[0]?.attributes ?? {}, {})
  const info = `# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info${target} 1\n`
  const texts = [...families.values()].map(
    ({ name, type, help, lines }) =>
      `${help === '' ? '' : `# HELP ${name} ${escapeHelp(help)}\n`}# TYPE ${name} ${type}\n${lines.join('')}`,
  )
  return info + texts.join('')
}

function addMetric(families: Map<string, Family>, metric: Metric, labels: Attributes): void {
  const { data } = metric
  if (data === null || data.kind === 'exponentialHistogram' || data.kind === 'summary') return
  const type =
    data.kind === 'histogram' ? 'histogram' : data.kind === 'sum' && data.monotonic ? 'counter' : 'gauge'
  const name = familyName(metric, type)
  let family = families.get(name)
  if (family === undefined) {
    family = { name, type, help: metric.description, lines: [] }
    families.set(name, family)
  }
  // A name has one type; what has another would make the whole text unreadable.
  if (family.type !== type) return
  if (data.kind === 'histogram') for (const point of data.points) addHistogram(family, point, labels)
  else for (const point of data.points) addNumber(family, point, labels)
}

function addNumber({ name, lines }: Family, { attributes, value }: NumberPoint, labels: Attributes): void {
  lines.push(`${name}${labelsOf(attributes, labels)} ${numberText(value ?? Number.NaN)}\n`)
}

function addHistogram({ name, lines }: Family, point: HistogramPoint, labels: Attributes): void {
  let total = 0
  point.bucketCounts.forEach((count, i) => {
    total += count
    const le = i < point.explicitBounds.length ? numberText(point.explicitBounds[i]!) : '+Inf'
    lines.push(`${name}_bucket${labelsOf(point.attributes, { ...labels, le })} ${total}\n`)
  })
  const text = labelsOf(point.attributes, labels)
  lines.push(`${name}_sum${text} ${numberText(point.sum ?? 0)}\n${name}_count${text} ${total}\n`)
}

function numberText(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

function familyName({ name, unit }: Metric, type: Family['type']): string {
  let text = name.replace(/[^a-zA-Z0-9:]+/g, '_').replace(/_+$/, '')
  if (/^\d/.test(text)) text = `_${text}`
  const suffix = unitSuffix(unit, type)
  const bare = type === 'counter' && text.endsWith('_total') ? text.slice(0, -'_total'.length) : text
  const united = suffix === '' || bare.endsWith(`_${suffix}`) ? bare : `${bare}_${suffix}`
  return type === 'counter' ? `${united}_total` : united
}

function unitSuffix(unit: string, type: Family['type']): string {
  if (unit === '1') return type === 'gauge' ? 'ratio' : ''
  const [over = '', under] = unit.replace(/\{[^}]*\}/g, '').split('/', 2)
  const word = (text: string): string =>
    (UNITS[text] ?? text).replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  if (under === undefined || under === '') return word(over)
  return `${word(over)}${over === '' ? '' : '_'}per_${PER[under] ?? word(under)}`
}

function scopeLabels({ name, version }: Scope): Attributes {
  return {
    otel_scope_name: name,
    ...(version === '' ? {} : { otel_scope_version: version }),
  }
}

/** `{name="value",...}`; of several attributes that become one label, the values are told in the order of their keys. */
function labelsOf(attributes: Attributes, more: Attributes): string {
  const labels = new Map<string, string[]>()
  for (const [key, value] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = labelName(key)
    labels.set(name, [...(labels.get(name) ?? []), labelValue(value)])
  }
  for (const [key, value] of Object.entries(more)) labels.set(key, [labelValue(value)])
  if (labels.size === 0) return ''
  const texts = [...labels].map(([name, values]) => `${name}="${escapeLabel(values.join(';'))}"`)
  return `{${texts.join(',')}}`
}

function labelName(key: string): string {
  const name = key.replace(/[^a-zA-Z0-9_]/g, '_')
  // Names that begin with two are Prometheus' own.
  const own = name.startsWith('__') ? name.slice(1) : name
  return own === '' || /^\d/.test(own) ? `key_${own}` : own
}

function labelValue(value: Attributes[string]): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? ''
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
