import {
  anyValue,
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
import type { LogRecord, LogsRequest } from './logs-types.js'

/**
 * Reads OTLP/JSON logs data, by the rules of `tracesFromJson`.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` when a field has a type that the mapping does not allow.
 */
export function logsFromJson(value: unknown): LogsRequest {
  const request = object(value, 'request')
  return {
    resourceLogs: list(request['resourceLogs'], 'resourceLogs', (group) => ({
      resource: resource(group['resource']),
      scopeLogs: list(group['scopeLogs'], 'scopeLogs', (inner) => ({
        scope: scope(inner['scope']),
        logRecords: list(inner['logRecords'], 'logRecords', readRecord),
        schemaUrl: text(inner['schemaUrl'], 'schemaUrl'),
      })),
      schemaUrl: text(group['schemaUrl'], 'schemaUrl'),
    })),
  }
}

function readRecord(json: JsonObject): LogRecord {
  return {
    timeUnixNano: nanoseconds(json['timeUnixNano'], 'timeUnixNano'),
    observedTimeUnixNano: nanoseconds(json['observedTimeUnixNano'], 'observedTimeUnixNano'),
    severityNumber: integer(json['severityNumber'], 'severityNumber'),
    severityText: text(json['severityText'], 'severityText'),
    body: anyValue(json['body']),
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
    flags: integer(json['flags'], 'flags') >>> 0,
    traceId: hexId(json['traceId'], 'traceId'),
    spanId: hexId(json['spanId'], 'spanId'),
    eventName: text(json['eventName'], 'eventName'),
  }
}

/** Logs data in OTLP/JSON, for `JSON.stringify`, by the rules of `tracesToJson`. */
export function logsToJson(request: LogsRequest): { resourceLogs: unknown[] } {
  return {
    resourceLogs: request.resourceLogs.map((group) => ({
      resource: write.resourceToJson(group.resource),
      scopeLogs: group.scopeLogs.map((inner) => ({
        scope: write.scopeToJson(inner.scope),
        logRecords: inner.logRecords.map(recordToJson),
        ...write.text('schemaUrl', inner.schemaUrl),
      })),
      ...write.text('schemaUrl', group.schemaUrl),
    })),
  }
}

function recordToJson(record: LogRecord): Record<string, unknown> {
  return {
    timeUnixNano: record.timeUnixNano.toString(),
    observedTimeUnixNano: record.observedTimeUnixNano.toString(),
    ...write.count('severityNumber', record.severityNumber),
    ...write.text('severityText', record.severityText),
    ...(record.body === null ? {} : { body: write.anyValueToJson(record.body) }),
    ...write.list('attributes', write.attributesToJson(record.attributes)),
    ...write.count('droppedAttributesCount', record.droppedAttributesCount),
    ...write.count('flags', record.flags),
    ...write.text('traceId', record.traceId),
    ...write.text('spanId', record.spanId),
    ...write.text('eventName', record.eventName),
  }
}
