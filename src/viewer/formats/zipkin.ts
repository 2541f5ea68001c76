import { attributes, emptySpan } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import type { Attributes, SpanEvent } from '../../otlp/types.js'
import type { Requests } from './requests.js'
import { isOfResource, kindOf, microseconds, shortId, takeStatus, typedText } from './values.js'

/** Whether this is one span of Zipkin's v2 JSON. */
export function isZipkin(json: JsonObject): boolean {
  return 'traceId' in json && 'id' in json && !('spanId' in json) && !('binaryAnnotations' in json)
}

/**
 * Reads spans of Zipkin's v2 JSON (https://zipkin.io/zipkin-api/), as OpenTelemetry maps them
 * (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/). Its times are microseconds, its tags all text.
 *
 * A client and the server that it calls may share one id. The server's span then gets an id of its own, below the client's, and what
 * its service did under the shared id goes below the server's. For that the spans of a trace have to come together.
 *
 * @returns How many were refused, having fields of other types than Zipkin gives them.
 */
export function zipkinSpans(spans: readonly JsonObject[], into: Requests): number {
  const shared = new Set<string>()
  for (const span of spans) if (span['shared'] === true) shared.add(sharedKey(span, span['id']))
  let refused = 0
  for (const span of spans) {
    try {
      readSpan(span, shared, into)
    } catch (error) {
      if (!(error instanceof OtlpError)) throw error
      refused++
    }
  }
  return refused
}

function sharedKey(span: JsonObject, id: unknown): string {
  return `${span['traceId']} ${id} ${serviceOf(span['localEndpoint'])}`
}

function serviceOf(endpoint: unknown): string {
  const name =
    typeof endpoint === 'object' && endpoint !== null ? (endpoint as JsonObject)['serviceName'] : ''
  return typeof name === 'string' ? name : ''
}

function readSpan(json: JsonObject, shared: ReadonlySet<string>, into: Requests): void {
  const id = shortId(json['id'], 16, 'id')
  const parent = shortId(json['parentId'], 16, 'parentId')
  const isShared = json['shared'] === true
  const span = emptySpan(shortId(json['traceId'], 32, 'traceId'), isShared ? ownId(id) : id)
  if (isShared) span.parentSpanId = id
  else if (parent !== id)
    span.parentSpanId = shared.has(sharedKey(json, json['parentId'])) ? ownId(parent) : parent
  span.name = text(json['name'], 'name')
  // What is neither called nor sent has no kind.
  span.kind = kindOf(json['kind']) || 1
  span.startTimeUnixNano = microseconds(json['timestamp'], 'timestamp')
  span.endTimeUnixNano = span.startTimeUnixNano + microseconds(json['duration'], 'duration')
  span.events = list(json['annotations'], 'annotations', readAnnotation)
  const resource = attributes()
  const tags = object(json['tags'] ?? {}, 'tags')
  for (const [key, value] of Object.entries(tags)) {
    const own = isOfResource(key) ? resource : span.attributes
    own[text(key, 'key')] = typedText(key, text(value, key))
  }
  const error = span.attributes['error']
  const scope = takeStatus(span)
  // A tag `error` of Zipkin's own tracers says what went wrong.
  if (typeof error === 'string' && error !== 'false') {
    span.status = { code: 2, message: span.status.message || (error === 'true' ? '' : error) }
  }
  readEndpoint(json['localEndpoint'], (name) => {
    if (name !== '') resource['service.name'] ??= name
  })
  readEndpoint(json['remoteEndpoint'], (name, address, port) => {
    if (name !== '') span.attributes['peer.service'] ??= name
    if (address !== '') span.attributes['network.peer.address'] ??= address
    if (port > 0) span.attributes['network.peer.port'] ??= port
  })
  into.add({ resource, scope }, span)
}

/** The id of the half of a shared span that the server made. */
function ownId(id: string): string {
  return id === '' ? '' : (Number.parseInt(id[0]!, 16) ^ 8).toString(16) + id.slice(1)
}

function readEndpoint(value: unknown, take: (name: string, address: string, port: number) => void): void {
  if (value === undefined || value === null) return
  const endpoint = object(value, 'endpoint')
  const address = text(endpoint['ipv4'], 'ipv4') || text(endpoint['ipv6'], 'ipv6')
  const port = endpoint['port']
  take(text(endpoint['serviceName'], 'serviceName'), address, typeof port === 'number' ? port : 0)
}

function readAnnotation(json: JsonObject): SpanEvent {
  const none: Attributes = attributes()
  const timeUnixNano = microseconds(json['timestamp'], 'timestamp')
  return { timeUnixNano, name: text(json['value'], 'value'), attributes: none, droppedAttributesCount: 0 }
}
