import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { OtlpConfig } from '../config/otlp.js'
import type { NoAnswer, OtlpClient, SendOptions, SendResult } from './client.js'
import { GrpcReply } from './grpc-answer.js'
import { GrpcConnection } from './grpc-connection.js'
import { gzip } from './gzip.js'
import { USER_AGENT } from './http-body.js'

/**
 * OTLP/gRPC (OTLP specification 1.x; gRPC over HTTP/2) on `node:http2`: unary calls of one method on one connection.
 *
 * `@grpc/grpc-js` was judged for this and left out. It would be the only package of its kind to be installed with this one, takes 50 ms and
 * 100 files to load, and resolves, balances, keeps channels and repeats calls by itself, where the account of spans needs to know of each.
 */

/** Error codes of streams (RFC 9113, section 7). */
const CANCEL = 8
const REFUSED_STREAM = 7

/** Names that are the protocol's own: RFC 9113, 8.2.2, and gRPC's "Reserved" ones. */
const RESERVED =
  /^(?:grpc-.*|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|host|te|http2-settings|content-length|content-type|content-encoding)$/

export class GrpcClient implements OtlpClient {
  /** Servers take 4 MiB unless told otherwise, the frames around the spans included. */
  readonly maxBytes = 3 * 1024 * 1024
  readonly #config: OtlpConfig
  readonly #url: URL
  readonly #connection: GrpcConnection

  constructor(config: OtlpConfig) {
    this.#config = config
    this.#url = new URL(config.url)
    this.#connection = new GrpcConnection(config)
  }

  async prepare(request: Uint8Array): Promise<Uint8Array> {
    const isGzipped = this.#config.compression === 'gzip'
    const body = isGzipped ? await gzip(request) : request
    const frame = Buffer.allocUnsafe(5 + body.length)
    frame[0] = isGzipped ? 1 : 0
    frame.writeUInt32BE(body.length, 1)
    frame.set(body, 5)
    return frame
  }

  async send(body: Uint8Array, options: SendOptions): Promise<SendResult> {
    const { timeout, signal } = options
    const started = performance.now()
    let session: ClientHttp2Session
    let isReused: boolean
    let headers: Record<string, string>
    try {
      headers = this.#headers()
      ;[session, isReused] = await this.#connection.open(options)
    } catch (error) {
      // Such as a certificate or credentials that cannot be read: sending without would trust, or be trusted, otherwise than was asked for.
      return { error: error as Error, timedOut: signal.aborted || isTimeout(error), stale: false }
    }
    const left = Math.max(1, Math.ceil(timeout - (performance.now() - started)))
    headers['grpc-timeout'] = timeoutOf(left)
    session.ref()
    const result = await call(session, headers, body, { timeout: left, signal })
    session.unref()
    if (result.answer !== undefined) return result
    // Whatever is wrong with the connection, and certificates are renewed while a process lives: the next attempt opens another one.
    this.#connection.drop(session)
    return { ...result, stale: result.stale || (isReused && result.isLost && !result.timedOut) }
  }

  close(): void {
    this.#connection.close()
  }

  #headers(): Record<string, string> {
    const { headers, compression } = this.#config
    const { protocol, host, pathname, username, password } = this.#url
    const own: Record<string, string> = { 'user-agent': USER_AGENT }
    if (username !== '' || password !== '') {
      const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
      own['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
    }
    for (const name in headers) if (!RESERVED.test(name)) own[name] = headers[name]!
    return {
      ...own,
      ':method': 'POST',
      ':scheme': protocol.slice(0, -1),
      ':authority': host,
      ':path': pathname,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-accept-encoding': 'identity,gzip',
      ...(compression === 'gzip' ? { 'grpc-encoding': 'gzip' } : {}),
    }
  }
}

/** At most eight digits, and a unit. */
function timeoutOf(milliseconds: number): string {
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.ceil(milliseconds / 1000)}S`
}

function isTimeout(error: unknown): boolean {
  return (error as Error).name === 'TimeoutError'
}

type CallResult =
  | Exclude<SendResult, NoAnswer>
  | (NoAnswer & { /** Nothing came of the server. */ readonly isLost: boolean })

/** One unary call. */
function call(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: Uint8Array,
  { timeout, signal }: SendOptions,
): Promise<CallResult> {
  return new Promise((resolve) => {
    const reply = new GrpcReply()
    let error = new Error('the connection was closed')
    let timedOut = false
    let isEnded = false
    let stream: ClientHttp2Stream | undefined
    const stop = (): void => {
      timedOut = true
      stream?.close(CANCEL)
      finish()
    }
    const timer = setTimeout(stop, timeout)
    signal.addEventListener('abort', stop)
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      const { answer } = reply
      if (answer !== undefined && !timedOut) {
        // An answer that came before all was sent: the rest is not waited for.
        if (stream?.closed === false) stream.close(CANCEL)
        resolve({ answer })
        return
      }
      if (reply.hasBegun && !timedOut) error = new Error('it ended the call without a status')
      // The server says that it has not looked at it: it was about to close the connection.
      const stale = stream?.rstCode === REFUSED_STREAM
      resolve({ error, timedOut, stale, isLost: !reply.hasBegun })
    }
    if (signal.aborted) {
      stop()
      return
    }
    try {
      stream = session.request(headers)
    } catch (cause) {
      // The connection has been closed between two calls.
      error = cause as Error
      finish()
      return
    }
    stream.on('response', (fields) => reply.begin(fields))
    stream.on('data', (chunk: Uint8Array) => reply.add(chunk))
    stream.on('trailers', (fields: IncomingHttpHeaders) => {
      reply.end(fields)
      if (isEnded) finish()
    })
    stream.on('end', () => {
      isEnded = true
      if (reply.isComplete) finish()
    })
    stream.on('error', (failure) => {
      // What ended the connection says more than that the call was cancelled for it.
      error = failure.cause instanceof Error ? failure.cause : failure
    })
    stream.on('close', finish)
    stream.end(body)
  })
}
