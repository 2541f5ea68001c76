import { transcodeToJson } from '../otlp/json-transcode.js'
import type { Signal } from '../ring/reader.js'
import type { Batch } from './exporter.js'
import { encodeRequest } from './request.js'

/** One line of OTLP JSON. @throws OtlpError where the bytes are not OTLP. */
export function jsonOf(batches: readonly Batch[], signal: Signal): string {
  return transcodeToJson(signal === 'spans' ? 'traces' : 'logs', encodeRequest(batches))
}
