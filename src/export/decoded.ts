import { decodeTraces } from '../otlp/decode.js'
import { spansOf, type TraceSpan } from '../trace/trace.js'
import type { Batch } from './exporter.js'
import { encodeRequest } from './request.js'

/** The spans of batches, decoded: for exporters that show them. Throws `OtlpError` where the bytes are not OTLP. */
export function decodeBatches(batches: readonly Batch[]): TraceSpan[] {
  return spansOf(decodeTraces(encodeRequest(batches)))
}
