/** A configuration file (OpenTelemetry's schema 1.x) as the variables that say the same here. */
import { pairsOf, type Variables } from './exporters.js'
import { loggerVariables } from './logger-provider.js'
import { meterVariables } from './meter-provider.js'
import { ConfigFileError, Section, type Tell } from './section.js'
import { tracerVariables } from './tracer-provider.js'

/** The schema that this is written for. */
const MAJOR = 1
const MINOR = 1

/** Levels of the schema, by their names without the numbers. */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['trace', 'debug'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
])

const PROPAGATORS = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger']

function checkFormat(root: Section, tell: Tell): void {
  const match = /^(\d+)\.(\d+)(?:-.+)?$/.exec(root.text('file_format') ?? '')
  if (match === null) throw new ConfigFileError('file_format', 'it is no version of the schema')
  if (Number(match[1]) !== MAJOR) throw new ConfigFileError('file_format', `only ${MAJOR}.x is understood`)
  if (Number(match[2]) > MINOR)
    tell('file_format', `what is newer than ${MAJOR}.${MINOR} may not be understood`)
}

function resourceVariables(section: Section): Variables {
  const members = section.list('attributes').map((member): [string, string] => {
    const name = member.text('name')
    const value = member.value('value')
    if (name === undefined || value === undefined)
      throw new ConfigFileError(member.path, 'it has no name, or no value')
    const type = member.text('type') ?? 'string'
    if (typeof value === 'object')
      throw new ConfigFileError(member.path, 'its value is neither text, number nor boolean')
    if (type !== 'string') member.refuse('type', 'it is not offered; the value is told as text')
    member.end()
    return [name, String(value)]
  })
  const list = section.text('attributes_list')
  section.refuse(
    'detection/development',
    'it is not offered; service, host, process and container are told always',
  )
  section.refuse('schema_url', 'it is not offered')
  section.end()
  return { OTEL_RESOURCE_ATTRIBUTES: pairsOf(list, members) }
}

function propagatorVariables(section: Section, tell: Tell): Variables {
  const named = section.list('composite').map((member) => member.only())
  const listed = (section.text('composite_list') ?? '').split(',').map((name) => name.trim())
  section.end()
  const known: string[] = []
  for (const name of new Set([...named, ...listed])) {
    if (PROPAGATORS.includes(name)) known.push(name)
    else if (name !== '' && name !== 'none')
      tell(`${section.path}.composite`, `${name.slice(0, 40)} is not offered; it is left out`)
  }
  return { OTEL_PROPAGATORS: known.join(',') || 'none' }
}

/**
 * @param document What the file holds, its references replaced.
 * @param tell Told of what is not understood, or not offered.
 * @throws ConfigFileError where the file is not one of the schema.
 */
export function variablesOf(document: unknown, tell: Tell): Variables {
  const root = Section.of(document, '', tell)
  checkFormat(root, tell)
  const level = root.text('log_level')
  const name = level === undefined ? undefined : LEVELS.get(level.replace(/[2-4]$/, ''))
  if (level !== undefined && name === undefined)
    throw new ConfigFileError('log_level', `it is none of ${[...LEVELS.keys()].join(', ')}`)
  const limits = root.section('attribute_limits')
  const given = (key: string): Section | undefined => (root.has(key) ? root.section(key) : undefined)
  const variables: Variables = {
    OTEL_SDK_DISABLED: root.boolean('disabled'),
    OTEL_LOG_LEVEL: name,
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: limits.integer('attribute_value_length_limit'),
    OTEL_ATTRIBUTE_COUNT_LIMIT: limits.integer('attribute_count_limit'),
    ...resourceVariables(root.section('resource')),
    ...propagatorVariables(root.section('propagator'), tell),
    ...tracerVariables(given('tracer_provider')),
    ...meterVariables(given('meter_provider')),
    ...loggerVariables(given('logger_provider')),
  }
  limits.refuse('attribute_value_depth_limit', 'values of attributes have no depth here')
  limits.end()
  root.refuse('instrumentation/development', 'it is not offered; see OTEL_NODE_DISABLED_INSTRUMENTATIONS')
  root.refuse('distribution', 'there is none for this package; its variables hold')
  root.end()
  return variables
}
