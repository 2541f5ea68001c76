import { decodeTraces } from '../otlp/decode.js'
import { decodeLogs } from '../otlp/decode-logs.js'
import { tracesToJson } from '../otlp/json.js'
import { logsToJson } from '../otlp/json-logs.js'
import type { Signal } from '../ring/reader.js'
import type { Batch } from './exporter.js'
import { encodeRequest } from './request.js'

/** One line of OTLP JSON. @throws OtlpError where the bytes are not OTLP. */
export function jsonOf(batches: readonly Batch[], signal: Signal): string {
  const request = encodeRequest(batches)
  return JSON.stringify(
    signal === 'spans' ? tracesToJson(decodeTraces(request)) : logsToJson(decodeLogs(request)),
  )
}
