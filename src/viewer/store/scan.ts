import { fields, type ProtobufReader } from '../../otlp/protobuf.js'
import { type SpanScan, scanSpan } from './scan-span.js'

const REQUEST = fields(1)
const GROUP = fields(1, 2, 3)

/** Shorter messages cannot hold the ids that a span must have. */
const MIN_SPAN = 28

/** Where a message lies in the bytes of a request; empty where it was left out. */
export class Range {
  at = 0
  end = 0

  /** Takes the message that `reader` stands before, without looking into it. @throws OtlpError */
  take(reader: ProtobufReader): void {
    const outer = reader.enter()
    this.at = reader.pos
    this.end = reader.end
    reader.leave(outer)
  }
}

/** The spans that one resource and one scope of a request hold. */
export interface SpanGroup {
  resource: Range
  resourceSchema: Range
  scope: Range
  scopeSchema: Range
  spans: SpanScan[]
  /** Spans without room for their ids. */
  empty: number
}

/**
 * Walks an `ExportTraceServiceRequest` without decoding it: checks every message down to the last attribute value, and
 * notes what the store needs of each span.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED`, before anything is kept of the request.
 */
export function scanTraces(reader: ProtobufReader): SpanGroup[] {
  const groups: SpanGroup[] = []
  // Nothing is made of the messages here, and a span is too long to make many of few bytes.
  reader.maxMessages = Number.POSITIVE_INFINITY
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) scanResourceSpans(reader, groups)
    else reader.skip(tag, REQUEST)
  }
  return groups
}

function scanResourceSpans(reader: ProtobufReader, groups: SpanGroup[]): void {
  // Both may come after the spans that belong to them.
  const resource = new Range()
  const schema = new Range()
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) resource.take(reader)
    else if (tag === 0x12) groups.push(scanScopeSpans(reader, resource, schema))
    else if (tag === 0x1a) schema.take(reader)
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
}

function scanScopeSpans(reader: ProtobufReader, resource: Range, resourceSchema: Range): SpanGroup {
  const scope = new Range()
  const scopeSchema = new Range()
  const group: SpanGroup = { resource, resourceSchema, scope, scopeSchema, spans: [], empty: 0 }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) scope.take(reader)
    else if (tag === 0x12) {
      const rest = reader.enter()
      if (reader.end - reader.pos < MIN_SPAN) group.empty++
      else group.spans.push(scanSpan(reader))
      reader.leave(rest)
    } else if (tag === 0x1a) scopeSchema.take(reader)
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}
