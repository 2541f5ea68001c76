import { spanKind, statusCode } from './decode.js'
import {
  attributeMap,
  hexId,
  integer,
  type JsonObject,
  list,
  nanoseconds,
  object,
  resource,
  scope,
  text,
} from './json-read.js'
import type { ResourceSpans, ScopeSpans, Span, SpanEvent, SpanLink, TraceRequest } from './types.js'

/**
 * Reads OTLP/JSON trace data (opentelemetry-proto, "JSON Protobuf Encoding"): what `JSON.parse` made of a request or of
 * a line of the OpenTelemetry Collector's file exporter. Ids are hexadecimal in any case, 64-bit integers strings or
 * numbers, enum values integers; unknown keys are passed over.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` when a field has a type that the mapping does not allow.
 */
export function tracesFromJson(value: unknown): TraceRequest {
  const request = object(value, 'request')
  return { resourceSpans: list(request['resourceSpans'], 'resourceSpans', readResourceSpans) }
}

function readResourceSpans(json: JsonObject): ResourceSpans {
  return {
    resource: resource(json['resource']),
    scopeSpans: list(json['scopeSpans'], 'scopeSpans', readScopeSpans),
    schemaUrl: text(json['schemaUrl'], 'schemaUrl'),
  }
}

function readScopeSpans(json: JsonObject): ScopeSpans {
  return {
    scope: scope(json['scope']),
    spans: list(json['spans'], 'spans', readSpan),
    schemaUrl: text(json['schemaUrl'], 'schemaUrl'),
  }
}

/** One `Span`, by the rules of `tracesFromJson`. @throws OtlpError */
export function readSpan(json: JsonObject): Span {
  const status = object(json['status'] ?? {}, 'status')
  return {
    traceId: hexId(json['traceId'], 'traceId'),
    spanId: hexId(json['spanId'], 'spanId'),
    parentSpanId: hexId(json['parentSpanId'], 'parentSpanId'),
    traceState: text(json['traceState'], 'traceState'),
    flags: integer(json['flags'], 'flags') >>> 0,
    name: text(json['name'], 'name'),
    kind: spanKind(integer(json['kind'], 'kind') >>> 0),
    startTimeUnixNano: nanoseconds(json['startTimeUnixNano'], 'startTimeUnixNano'),
    endTimeUnixNano: nanoseconds(json['endTimeUnixNano'], 'endTimeUnixNano'),
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
    events: list(json['events'], 'events', readEvent),
    droppedEventsCount: integer(json['droppedEventsCount'], 'droppedEventsCount'),
    links: list(json['links'], 'links', readLink),
    droppedLinksCount: integer(json['droppedLinksCount'], 'droppedLinksCount'),
    status: {
      code: statusCode(integer(status['code'], 'status.code') >>> 0),
      message: text(status['message'], 'status.message'),
    },
  }
}

function readEvent(json: JsonObject): SpanEvent {
  return {
    timeUnixNano: nanoseconds(json['timeUnixNano'], 'timeUnixNano'),
    name: text(json['name'], 'event.name'),
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
  }
}

function readLink(json: JsonObject): SpanLink {
  return {
    traceId: hexId(json['traceId'], 'link.traceId'),
    spanId: hexId(json['spanId'], 'link.spanId'),
    traceState: text(json['traceState'], 'link.traceState'),
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
    flags: integer(json['flags'], 'link.flags') >>> 0,
  }
}
