import { decodeTraces } from '../otlp/decode.js'
import { spansOf, type TraceSpan } from '../trace/trace.js'
import type { SpanBatch } from './exporter.js'
import { encodeTraceRequest } from './request.js'

/** The spans of batches, decoded: for exporters that show them. Throws `OtlpError` where the bytes are not OTLP. */
export function decodeBatches(batches: readonly SpanBatch[]): TraceSpan[] {
  return spansOf(decodeTraces(encodeTraceRequest(batches)))
}
