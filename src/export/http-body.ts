/** The body of an OTLP/HTTP request, and the headers that tell of it. */
import type { OtlpConfig } from '../config/otlp.js'
import { VERSION } from '../core/version.js'
import { transcodeToJson } from '../otlp/json-transcode.js'

export const USER_AGENT = `threadspan/${VERSION} (Node.js ${process.versions.node})`

/** A request before it is compressed. */
export function plainBody({ protocol, signal }: OtlpConfig, request: Uint8Array): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(transcodeToJson(signal, request)) : request
}

/** Without its length. */
export function bodyHeaders({ protocol, compression, headers }: OtlpConfig): Record<string, string> {
  // Ours come last: with another type than the body has, no request would arrive.
  return {
    'user-agent': USER_AGENT,
    ...headers,
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  }
}
