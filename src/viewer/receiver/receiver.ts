import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerExport, answerFailure, type Encoding, type Signal } from './answers.js'
import { drain, MAX_BODY, readBody } from './body.js'
import { HttpError } from './http-error.js'
import { isMalformed, type Sink } from './sink.js'

/** Largest JSON request: parsed, it takes many times its size. */
const MAX_JSON = 32 * 1024 * 1024

const SIGNALS: Record<string, Signal> = {
  '/v1/traces': 'traces',
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs',
}

/** The signal that an OTLP/HTTP path takes, or undefined. */
export function signalOf(path: string): Signal | undefined {
  return Object.hasOwn(SIGNALS, path) ? SIGNALS[path] : undefined
}

/** The encoding of the body; parameters such as `charset` are allowed. Undefined for another content type. */
export function encodingOf(request: IncomingMessage): Encoding | undefined {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/json') return 'json'
  return type === 'application/x-protobuf' || type === 'application/protobuf' ? 'protobuf' : undefined
}

/**
 * Answers an OTLP/HTTP request (opentelemetry-proto, `docs/specification.md`): 200 with partial success where due, and
 * errors as `google.rpc.Status` in the content type of the request. Never throws.
 */
export async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  signal: Signal,
  sink: Sink,
): Promise<void> {
  const encoding = encodingOf(request)
  try {
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST')
      throw new HttpError(405, 'THREADSPAN_METHOD', 'OTLP is sent by POST', 'unsupported')
    }
    if (encoding === undefined) {
      const message = 'The content type must be application/x-protobuf or application/json'
      throw new HttpError(415, 'THREADSPAN_CONTENT_TYPE', message, 'unsupported')
    }
    const body = await readBody(request, encoding === 'json' ? MAX_JSON : MAX_BODY)
    const { rejected, why } = sink.take(signal, encoding, body)
    answerExport(response, encoding, signal, rejected, why)
  } catch (error) {
    await drain(request)
    fail(error, request, response, encoding ?? 'json', sink)
  }
}

function fail(
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  sink: Sink,
): void {
  if (response.destroyed) {
    sink.drop('aborted')
    return
  }
  // What is left of the body is not read: the connection cannot carry another request.
  if (!request.complete) response.setHeader('connection', 'close')
  if (error instanceof HttpError) {
    sink.drop(error.counted)
    if (error.status === 503) response.setHeader('retry-after', '1')
    answerFailure(response, encoding, error.status, `${error.message} (${error.code})`)
  } else if (isMalformed(error)) {
    sink.drop('malformed')
    answerFailure(response, encoding, 400, `${(error as Error).message} (THREADSPAN_OTLP_MALFORMED)`)
  } else {
    sink.drop('failed')
    answerFailure(
      response,
      encoding,
      500,
      'The viewer failed to take this request (THREADSPAN_VIEWER_FAILED)',
    )
  }
}
