import {
  attributes,
  emptyResource,
  emptyScope,
  readAnyValue,
  readKeyValue,
  readResource,
  readScope,
} from './decode-common.js'
import type { LogRecord, LogsRequest, ResourceLogs, ScopeLogs } from './logs-types.js'
import { fields, ProtobufReader } from './protobuf.js'

const REQUEST = fields(1)
const GROUP = fields(1, 2, 3)
const RECORD = fields(1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)

/**
 * Decodes an `ExportLogsServiceRequest` of opentelemetry-proto 1.x.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` as `decodeTraces` does.
 */
export function decodeLogs(bytes: Uint8Array): LogsRequest {
  const reader = new ProtobufReader(bytes)
  const resourceLogs: ResourceLogs[] = []
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) resourceLogs.push(readResourceLogs(reader))
    else reader.skip(tag, REQUEST)
  }
  return { resourceLogs }
}

function readResourceLogs(reader: ProtobufReader): ResourceLogs {
  const group: ResourceLogs = { resource: emptyResource(), scopeLogs: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readResource(reader, group.resource)
    else if (tag === 0x12) group.scopeLogs.push(readScopeLogs(reader))
    else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readScopeLogs(reader: ProtobufReader): ScopeLogs {
  const group: ScopeLogs = { scope: emptyScope(), logRecords: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readScope(reader, group.scope)
    else if (tag === 0x12) group.logRecords.push(readRecord(reader))
    else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readRecord(reader: ProtobufReader): LogRecord {
  const record: LogRecord = {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: '',
    body: null,
    attributes: attributes(),
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
  }
  const outer = reader.enter()
  while (reader.pos < reader.end) readField(reader, reader.tag(), record)
  reader.leave(outer)
  return record
}

function readField(reader: ProtobufReader, tag: number, record: LogRecord): void {
  switch (tag) {
    case 0x09:
      record.timeUnixNano = reader.bigFixed64()
      break
    case 0x10:
      record.severityNumber = reader.uint32()
      break
    case 0x1a:
      record.severityText = reader.string()
      break
    case 0x2a:
      record.body = readAnyValue(reader)
      break
    case 0x32:
      readKeyValue(reader, record.attributes)
      break
    case 0x38:
      record.droppedAttributesCount = reader.uint32()
      break
    case 0x45:
      record.flags = reader.fixed32()
      break
    case 0x4a:
      record.traceId = reader.hex()
      break
    case 0x52:
      record.spanId = reader.hex()
      break
    case 0x59:
      record.observedTimeUnixNano = reader.bigFixed64()
      break
    case 0x62:
      record.eventName = reader.string()
      break
    default:
      reader.skip(tag, RECORD)
  }
}
