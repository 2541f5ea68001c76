import { attributes, emptySpan } from '../../otlp/decode-common.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import type { AnyValue, Attributes, Span, SpanEvent, SpanLink } from '../../otlp/types.js'
import type { Requests } from './requests.js'
import { anyValue, kindOf, microseconds, shortId, takeOut, takeStatus, takeText } from './values.js'

/** What Jaeger calls a span's relation to its parent. */
const CHILD_OF = 'CHILD_OF'

/** Whether this is JSON of Jaeger's: an answer of its query API, one trace of it, or a span with its process. */
export function isJaeger(json: JsonObject): boolean {
  const { data } = json
  if (Array.isArray(data)) return data.length > 0 && data.every((trace) => isTrace(trace))
  return isTrace(json) || ('traceID' in json && 'spanID' in json)
}

function isTrace(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'traceID' in json && 'spans' in json
}

/**
 * Reads the JSON of Jaeger's UI, which downloads it, and of `/api/traces` (https://www.jaegertracing.io/docs/latest/architecture/apis/),
 * as OpenTelemetry maps it (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/). Its times are microseconds.
 * @throws OtlpError where a field has another type than Jaeger gives it.
 */
export function jaegerSpans(json: JsonObject, into: Requests): void {
  if (Array.isArray(json['data'])) list(json['data'], 'data', (trace) => readTrace(trace, into))
  else if ('spans' in json) readTrace(json, into)
  else readSpan(json, {}, into)
}

function readTrace(trace: JsonObject, into: Requests): void {
  const processes = object(trace['processes'] ?? {}, 'processes')
  list(trace['spans'], 'spans', (span) => readSpan(span, processes, into))
}

function readSpan(json: JsonObject, processes: JsonObject, into: Requests): void {
  const span = emptySpan(shortId(json['traceID'], 32, 'traceID'), shortId(json['spanID'], 16, 'spanID'))
  span.name = text(json['operationName'], 'operationName')
  span.startTimeUnixNano = microseconds(json['startTime'], 'startTime')
  span.endTimeUnixNano = span.startTimeUnixNano + microseconds(json['duration'], 'duration')
  span.attributes = readTags(json['tags'], 'tags')
  span.kind = kindOf(takeOut(span.attributes, 'span.kind'))
  const scope = takeStatus(span)
  takeReferences(json, span)
  span.events = list(json['logs'], 'logs', readLog)
  into.add({ resource: readProcess(json, processes), scope }, span)
}

/** The parent is the first reference within the trace that says so; every other one is a link. */
function takeReferences(json: JsonObject, span: Span): void {
  const references = list(json['references'], 'references', (reference) => ({
    type: text(reference['refType'], 'refType'),
    traceId: shortId(reference['traceID'], 32, 'traceID'),
    spanId: shortId(reference['spanID'], 16, 'spanID'),
  }))
  const own = references.filter(({ traceId }) => traceId === span.traceId)
  const parent = own.find(({ type }) => type === CHILD_OF) ?? own[0]
  span.parentSpanId = parent?.spanId ?? shortId(json['parentSpanID'], 16, 'parentSpanID')
  for (const reference of references) {
    if (reference === parent || reference.spanId === '') continue
    const link: SpanLink = {
      traceId: reference.traceId,
      spanId: reference.spanId,
      traceState: '',
      attributes: attributes(),
      droppedAttributesCount: 0,
      flags: 0,
    }
    link.attributes['opentracing.ref_type'] = reference.type === CHILD_OF ? 'child_of' : 'follows_from'
    span.links.push(link)
  }
}

function readProcess(json: JsonObject, processes: JsonObject): Attributes {
  const id = text(json['processID'], 'processID')
  const known = json['process'] ?? (Object.hasOwn(processes, id) ? processes[id] : undefined)
  const process = object(known ?? {}, 'process')
  const resource = readTags(process['tags'], 'tags')
  const service = text(process['serviceName'], 'serviceName')
  if (service !== '') resource['service.name'] = service
  // What Jaeger's own clients call it.
  const host = takeOut(resource, 'hostname')
  if (host !== undefined) resource['host.name'] ??= host
  return resource
}

function readLog(json: JsonObject): SpanEvent {
  const fields = readTags(json['fields'], 'fields')
  const timeUnixNano = microseconds(json['timestamp'], 'timestamp')
  return { timeUnixNano, name: takeText(fields, 'event'), attributes: fields, droppedAttributesCount: 0 }
}

function readTags(value: unknown, field: string): Attributes {
  const map = attributes()
  list(value, field, (tag) => {
    map[text(tag['key'], 'key')] = tagValue(tag['type'], tag['value'])
  })
  return map
}

/** Numbers that JSON cannot hold exactly come as text. */
function tagValue(type: unknown, value: unknown): AnyValue {
  if (typeof value === 'string' && (type === 'int64' || type === 'float64')) {
    if (type === 'int64' && /^-?\d{1,18}$/.test(value)) {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : BigInt(value)
    }
    return value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value)
  }
  if (type === 'bool' && typeof value === 'string') return value === 'true'
  return anyValue(value)
}
