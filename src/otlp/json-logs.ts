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
