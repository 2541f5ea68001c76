import { attributes, emptySpan } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import type { Attributes, Span, SpanEvent } from '../../otlp/types.js'
import type { Requests } from '../formats/requests.js'
import { anyValue, kindOf, shortId } from '../formats/values.js'
import { apmSpan } from './apm-documents.js'
import { flat, instant } from './fields.js'

/** Most events that are kept until their spans come. */
const MAX_EVENTS = 200_000

/** Makes spans of Elasticsearch's documents, in either mapping, and puts the events that came before them into them. */
export class Documents {
  /** By span id. */
  readonly #events = new Map<string, SpanEvent[]>()
  #count = 0

  /** @throws OtlpError */
  addEvent(hit: JsonObject): void {
    const source = object(hit['_source'] ?? {}, '_source')
    const isError = source['error'] !== undefined && source['event_name'] === undefined
    const id = isError ? parentOf(source) : shortId(source['span_id'], 16, 'span_id')
    if (id === '' || this.#count === MAX_EVENTS) return
    this.#count++
    const event: SpanEvent = {
      timeUnixNano: timeOf(hit, source),
      name: isError ? 'exception' : text(source['event_name'], 'event_name'),
      attributes: isError ? exceptionOf(object(source['error'], 'error')) : eventAttributes(source),
      droppedAttributesCount: countOf(source['dropped_attributes_count']),
    }
    const known = this.#events.get(id)
    if (known === undefined) this.#events.set(id, [event])
    else known.push(event)
  }

  /** Passes over what is no span: log records of the trace, metrics. @throws OtlpError */
  addSpan(hit: JsonObject, into: Requests): void {
    const source = object(hit['_source'] ?? {}, '_source')
    const time = timeOf(hit, source)
    const made =
      source['span_id'] !== undefined && source['duration'] !== undefined ? otelSpan(source) : apmSpan(source)
    if (made === undefined) return
    const { span, resource, scope, duration, start } = made
    span.startTimeUnixNano = start ?? time
    span.endTimeUnixNano = span.startTimeUnixNano + duration
    span.events = this.#events.get(span.spanId) ?? []
    into.add({ resource, scope }, span)
  }
}

/** A span that was read, but for its end. */
export interface MadeSpan {
  span: Span
  resource: Attributes
  scope: { name: string; version: string }
  /** Nanoseconds. */
  duration: bigint
  /** Nanoseconds since the epoch, where it is known better than by `@timestamp`. */
  start?: bigint
}

/** The mapping `otel` of the Collector's `elasticsearch` exporter. */
function otelSpan(source: JsonObject): MadeSpan {
  const span = emptySpan(
    shortId(source['trace_id'], 32, 'trace_id'),
    shortId(source['span_id'], 16, 'span_id'),
  )
  span.parentSpanId = shortId(source['parent_span_id'], 16, 'parent_span_id')
  span.traceState = text(source['trace_state'], 'trace_state')
  span.name = text(source['name'], 'name')
  span.kind = kindOf(source['kind'])
  span.attributes = flat(source['attributes'], 'attributes')
  span.droppedAttributesCount = countOf(source['dropped_attributes_count'])
  span.droppedEventsCount = countOf(source['dropped_events_count'])
  span.droppedLinksCount = countOf(source['dropped_links_count'])
  const status = object(source['status'] ?? {}, 'status')
  const code = text(status['code'], 'status.code')
  span.status = {
    code: code === 'Error' ? 2 : code === 'Ok' ? 1 : 0,
    message: text(status['message'], 'status.message'),
  }
  span.links = list(source['links'], 'links', (link) => ({
    traceId: shortId(link['trace_id'], 32, 'trace_id'),
    spanId: shortId(link['span_id'], 16, 'span_id'),
    traceState: text(link['trace_state'], 'trace_state'),
    attributes: flat(link['attributes'], 'attributes'),
    droppedAttributesCount: countOf(link['dropped_attributes_count']),
    flags: 0,
  }))
  const resource = object(source['resource'] ?? {}, 'resource')
  const scope = object(source['scope'] ?? {}, 'scope')
  return {
    span,
    resource: flat(resource['attributes'], 'resource.attributes'),
    scope: { name: text(scope['name'], 'scope.name'), version: text(scope['version'], 'scope.version') },
    duration: nanoseconds(source['duration']),
  }
}

function eventAttributes(source: JsonObject): Attributes {
  const map = flat(source['attributes'], 'attributes')
  // The exporter repeats it there.
  delete map['event.name']
  return map
}

/** An error of Elastic's agents as the event that OpenTelemetry has for it. */
function exceptionOf(error: JsonObject): Attributes {
  const map = attributes()
  const [first] = list(error['exception'], 'error.exception', (one) => one)
  const log = object(error['log'] ?? {}, 'error.log')
  const type = text(first?.['type'], 'type')
  const message = text(first?.['message'], 'message') || text(log['message'], 'message')
  if (type !== '') map['exception.type'] = type
  if (message !== '') map['exception.message'] = message
  const stack = text(error['stack_trace'], 'error.stack_trace')
  if (stack !== '') map['exception.stacktrace'] = stack
  return map
}

function parentOf(source: JsonObject): string {
  const parent = object(source['parent'] ?? source['transaction'] ?? {}, 'parent')
  return shortId(parent['id'], 16, 'parent.id')
}

/** When it was: as the index has it, else as the document says. */
function timeOf(hit: JsonObject, source: JsonObject): bigint {
  const fields = object(hit['fields'] ?? {}, 'fields')
  const found = fields['@timestamp']
  return instant(Array.isArray(found) ? found[0] : source['@timestamp'])
}

function nanoseconds(value: unknown): bigint {
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number !== 'number' || !(number >= 0 && number < 2 ** 63)) {
    throw new OtlpError('duration is no number of nanoseconds')
  }
  return BigInt(Math.round(number))
}

function countOf(value: unknown): number {
  const count = anyValue(value)
  return typeof count === 'number' && count >= 0 && count < 2 ** 32 ? Math.trunc(count) : 0
}
