import type { ServerResponse } from 'node:http'
import { lengthDelimited, putVarint, varintSize } from '../../otlp/encode.js'

/** The two encodings of OTLP/HTTP. Answers, errors included, have that of the request. */
export type Encoding = 'protobuf' | 'json'

/** What an OTLP request carries. */
export type Signal = 'traces' | 'metrics' | 'logs'

const REJECTED = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
} as const

/** Codes of `google.rpc.Code` by HTTP status; others are UNKNOWN. */
const RPC_CODES: Record<number, number> = { 400: 3, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 503: 14 }

const utf8 = new TextEncoder()

/** A protobuf message of one integer field (1) and one string field (2); both answers have this form. */
function message(number: number, text: string): Uint8Array {
  const content = text === '' ? new Uint8Array(0) : lengthDelimited(0x12, utf8.encode(text))
  if (number === 0) return content
  const size = 1 + varintSize(number)
  const bytes = new Uint8Array(size + content.length)
  bytes[0] = 0x08
  putVarint(bytes, 1, number)
  bytes.set(content, size)
  return bytes
}

/**
 * An `Export<signal>ServiceResponse` with status 200: empty on full success, else `partial_success` with the number of
 * rejected items and why (OTLP specification, "Partial Success").
 */
export function answerExport(
  response: ServerResponse,
  encoding: Encoding,
  signal: Signal,
  rejected: number,
  why: string,
): void {
  const partial = rejected > 0 || why !== ''
  if (encoding === 'json') {
    const body = partial
      ? { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: why } }
      : {}
    send(response, 200, encoding, Buffer.from(JSON.stringify(body)))
  } else {
    send(response, 200, encoding, partial ? lengthDelimited(0x0a, message(rejected, why)) : new Uint8Array(0))
  }
}

/** A `google.rpc.Status` (OTLP specification, "Failures"). */
export function answerFailure(
  response: ServerResponse,
  encoding: Encoding,
  status: number,
  text: string,
): void {
  const code = RPC_CODES[status] ?? 2
  const body =
    encoding === 'json' ? Buffer.from(JSON.stringify({ code, message: text })) : message(code, text)
  send(response, status, encoding, body)
}

function send(response: ServerResponse, status: number, encoding: Encoding, body: Uint8Array): void {
  response.writeHead(status, {
    'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
