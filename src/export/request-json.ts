import { transcodeToJson } from '../otlp/json-transcode.js'
import type { Signal } from '../ring/reader.js'
import type { Batch } from './exporter.js'
import { encodeRequest } from './request.js'

/** Bytes of spans in one line, before they are JSON, which is two to three times as long: readers hold a line in one piece. */
export const LINE_BYTES = 1024 * 1024

/** One line of OTLP JSON. @throws OtlpError where the bytes are not OTLP. */
export function jsonOf(batches: readonly Batch[], signal: Signal): string {
  return transcodeToJson(signal === 'spans' ? 'traces' : 'logs', encodeRequest(batches))
}
