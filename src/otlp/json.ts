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
import * as write from './json-write.js'
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

/**
 * Trace data in OTLP/JSON, for `JSON.stringify`: the inverse of `tracesFromJson`, but that a double attribute with a
 * whole value becomes an `intValue`. Fields with their default value are left out.
 */
export function tracesToJson(request: TraceRequest): { resourceSpans: unknown[] } {
  return {
    resourceSpans: request.resourceSpans.map((group) => ({
      resource: write.resourceToJson(group.resource),
      scopeSpans: group.scopeSpans.map((inner) => ({
        scope: write.scopeToJson(inner.scope),
        spans: inner.spans.map(spanToJson),
        ...write.text('schemaUrl', inner.schemaUrl),
      })),
      ...write.text('schemaUrl', group.schemaUrl),
    })),
  }
}

/** One span in OTLP/JSON, as in `tracesToJson`. */
export function spanToJson(span: Span): Record<string, unknown> {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...write.text('parentSpanId', span.parentSpanId),
    ...write.text('traceState', span.traceState),
    ...write.count('flags', span.flags),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: span.startTimeUnixNano.toString(),
    endTimeUnixNano: span.endTimeUnixNano.toString(),
    ...write.list('attributes', write.attributesToJson(span.attributes)),
    ...write.count('droppedAttributesCount', span.droppedAttributesCount),
    ...write.list('events', span.events.map(eventToJson)),
    ...write.count('droppedEventsCount', span.droppedEventsCount),
    ...write.list('links', span.links.map(linkToJson)),
    ...write.count('droppedLinksCount', span.droppedLinksCount),
    status: { ...write.count('code', span.status.code), ...write.text('message', span.status.message) },
  }
}

function eventToJson(event: SpanEvent): Record<string, unknown> {
  return {
    timeUnixNano: event.timeUnixNano.toString(),
    name: event.name,
    ...write.list('attributes', write.attributesToJson(event.attributes)),
    ...write.count('droppedAttributesCount', event.droppedAttributesCount),
  }
}

function linkToJson(link: SpanLink): Record<string, unknown> {
  return {
    traceId: link.traceId,
    spanId: link.spanId,
    ...write.text('traceState', link.traceState),
    ...write.list('attributes', write.attributesToJson(link.attributes)),
    ...write.count('droppedAttributesCount', link.droppedAttributesCount),
    ...write.count('flags', link.flags),
  }
}
