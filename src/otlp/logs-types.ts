import type { AnyValue, Attributes, Resource, Scope } from './types.js'

// OTLP logs data as plain objects: opentelemetry-proto 1.x, `logs.proto`.

/** `LogRecord`. */
export interface LogRecord {
  /** Nanoseconds since the Unix epoch; 0 when unknown. */
  timeUnixNano: bigint
  /** Nanoseconds since the Unix epoch, by the clock of whoever collected the record. */
  observedTimeUnixNano: bigint
  /** 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal; 0 unspecified. */
  severityNumber: number
  severityText: string
  body: AnyValue
  attributes: Attributes
  droppedAttributesCount: number
  flags: number
  /** 32 lower-case hexadecimal digits, or the empty string. */
  traceId: string
  /** 16 lower-case hexadecimal digits, or the empty string. */
  spanId: string
  eventName: string
}

/** `ScopeLogs`. */
export interface ScopeLogs {
  scope: Scope
  logRecords: LogRecord[]
  schemaUrl: string
}

/** `ResourceLogs`. */
export interface ResourceLogs {
  resource: Resource
  scopeLogs: ScopeLogs[]
  schemaUrl: string
}

/** `ExportLogsServiceRequest`, and a `LogsData` line of an OTLP JSON file. */
export interface LogsRequest {
  resourceLogs: ResourceLogs[]
}
