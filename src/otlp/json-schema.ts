/**
 * The messages of opentelemetry-proto 1.x that are sent, by field number: what `json-transcode.ts` needs to know to write them as
 * OTLP/JSON ("JSON Protobuf Encoding" of the OTLP specification).
 */

/** How a field's value lies in protobuf, and how it is written. `hex` are the bytes of ids. */
export type Scalar =
  | 'string'
  | 'bytes'
  | 'hex'
  | 'bool'
  | 'uint32'
  | 'sint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'

/** A field: its name in JSON, what it holds, and whether it is repeated. */
export interface Field {
  readonly name: string
  readonly type: Scalar | Message
  readonly isList: boolean
}

/** The fields of a message by their number. */
export type Message = Map<number, Field>

const one = (name: string, type: Scalar | Message): Field => ({ name, type, isList: false })
const many = (name: string, type: Scalar | Message): Field => ({ name, type, isList: true })
const message = (fields: Record<number, Field>): Message =>
  new Map(Object.entries(fields).map(([number, field]) => [Number(number), field]))

const anyValue: Message = new Map()
const keyValue = message({ 1: one('key', 'string'), 2: one('value', anyValue) })
const anyValueFields: Record<number, Field> = {
  1: one('stringValue', 'string'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
  5: one('arrayValue', message({ 1: many('values', anyValue) })),
  6: one('kvlistValue', message({ 1: many('values', keyValue) })),
  7: one('bytesValue', 'bytes'),
}
for (const [number, field] of Object.entries(anyValueFields)) anyValue.set(Number(number), field)

const attributes = many('attributes', keyValue)
const dropped = one('droppedAttributesCount', 'uint32')
const traceId = one('traceId', 'hex')
const spanId = one('spanId', 'hex')
const schemaUrl = one('schemaUrl', 'string')
const time = one('timeUnixNano', 'fixed64')
const startTime = one('startTimeUnixNano', 'fixed64')

const resource = message({
  1: attributes,
  2: dropped,
  3: many(
    'entityRefs',
    message({
      1: schemaUrl,
      2: one('type', 'string'),
      3: many('idKeys', 'string'),
      4: many('descriptionKeys', 'string'),
    }),
  ),
})
const scope = message({ 1: one('name', 'string'), 2: one('version', 'string'), 3: attributes, 4: dropped })

/** What all signals have in common: records in scopes in resources. */
const inScope = (records: string, record: Message): Message =>
  message({ 1: one('scope', scope), 2: many(records, record), 3: schemaUrl })
const inResource = (scopes: string, group: Message): Message =>
  message({ 1: one('resource', resource), 2: many(scopes, group), 3: schemaUrl })
const request = (groups: string, group: Message): Message => message({ 1: many(groups, group) })

const span = message({
  1: traceId,
  2: spanId,
  3: one('traceState', 'string'),
  4: one('parentSpanId', 'hex'),
  5: one('name', 'string'),
  6: one('kind', 'uint32'),
  7: startTime,
  8: one('endTimeUnixNano', 'fixed64'),
  9: attributes,
  10: dropped,
  11: many('events', message({ 1: time, 2: one('name', 'string'), 3: attributes, 4: dropped })),
  12: one('droppedEventsCount', 'uint32'),
  13: many(
    'links',
    message({
      1: traceId,
      2: spanId,
      3: one('traceState', 'string'),
      4: attributes,
      5: dropped,
      6: one('flags', 'fixed32'),
    }),
  ),
  14: one('droppedLinksCount', 'uint32'),
  15: one('status', message({ 2: one('message', 'string'), 3: one('code', 'uint32') })),
  16: one('flags', 'fixed32'),
})

const logRecord = message({
  1: time,
  2: one('severityNumber', 'uint32'),
  3: one('severityText', 'string'),
  5: one('body', anyValue),
  6: attributes,
  7: dropped,
  8: one('flags', 'fixed32'),
  9: traceId,
  10: spanId,
  11: one('observedTimeUnixNano', 'fixed64'),
  12: one('eventName', 'string'),
})

const exemplars = many(
  'exemplars',
  message({
    2: time,
    3: one('asDouble', 'double'),
    4: spanId,
    5: traceId,
    6: one('asInt', 'sfixed64'),
    7: many('filteredAttributes', keyValue),
  }),
)
const flags = one('flags', 'uint32')
const count = one('count', 'fixed64')
const sum = one('sum', 'double')
const numberPoint = message({
  2: startTime,
  3: time,
  4: one('asDouble', 'double'),
  5: exemplars,
  6: one('asInt', 'sfixed64'),
  7: attributes,
  8: flags,
})
const histogramPoint = message({
  2: startTime,
  3: time,
  4: count,
  5: sum,
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  8: exemplars,
  9: attributes,
  10: flags,
  11: one('min', 'double'),
  12: one('max', 'double'),
})
const buckets = message({ 1: one('offset', 'sint32'), 2: many('bucketCounts', 'uint64') })
const exponentialPoint = message({
  1: attributes,
  2: startTime,
  3: time,
  4: count,
  5: sum,
  6: one('scale', 'sint32'),
  7: one('zeroCount', 'fixed64'),
  8: one('positive', buckets),
  9: one('negative', buckets),
  10: flags,
  11: exemplars,
  12: one('min', 'double'),
  13: one('max', 'double'),
  14: one('zeroThreshold', 'double'),
})
const summaryPoint = message({
  2: startTime,
  3: time,
  4: count,
  5: sum,
  6: many('quantileValues', message({ 1: one('quantile', 'double'), 2: one('value', 'double') })),
  7: attributes,
  8: flags,
})
const points = (point: Message): Record<number, Field> => ({ 1: many('dataPoints', point) })
const temporality = { 2: one('aggregationTemporality', 'uint32') }

const metric = message({
  1: one('name', 'string'),
  2: one('description', 'string'),
  3: one('unit', 'string'),
  5: one('gauge', message(points(numberPoint))),
  7: one('sum', message({ ...points(numberPoint), ...temporality, 3: one('isMonotonic', 'bool') })),
  9: one('histogram', message({ ...points(histogramPoint), ...temporality })),
  10: one('exponentialHistogram', message({ ...points(exponentialPoint), ...temporality })),
  11: one('summary', message(points(summaryPoint))),
  12: many('metadata', keyValue),
})

const scopeSpans = inScope('spans', span)
const resourceSpans = inResource('scopeSpans', scopeSpans)

/** The request of each signal, and what that of traces is made of. */
export const MESSAGES = {
  traces: request('resourceSpans', resourceSpans),
  metrics: request('resourceMetrics', inResource('scopeMetrics', inScope('metrics', metric))),
  logs: request('resourceLogs', inResource('scopeLogs', inScope('logRecords', logRecord))),
  resourceSpans,
  scopeSpans,
  span,
}
