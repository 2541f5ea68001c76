import type { EventEmitter } from 'node:events'
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Tracer } from '@opentelemetry/api'
import { applyIn } from '../../context/current.js'
import { type Disable, guard, subscribe } from '../../hooks/channels.js'
import { observeEmit, ownEmit } from '../../hooks/observe-emit.js'
import { isFollowedCall } from '../grpc-calls.js'
import { keepHttp2Listeners } from '../http-listeners.js'
import { serverAttributes } from '../http-server-attributes.js'
import {
  endTransaction,
  forgetStream,
  keepByStream,
  requestOnStream,
  type ServerRequest,
  startTransaction,
} from '../server-transaction.js'

/** RFC 9113, section 7: the client no longer wants the response. */
const CANCEL = 8
const NO_ERROR = 0

const watched = new WeakSet<object>()
/** What makes the spans; undefined while nobody wants any. */
let current: Tracer | undefined

/**
 * Makes a transaction of each request that a server of `node:http2` receives, and runs its handlers in it: those of `stream` as those of
 * `request`, which Node emits from there. A connection that fell back to HTTP/1 is that of `node:http`'s instrumentation.
 *
 * A server is seen as it begins to listen, and gets an `emit` of its own.
 */
export function instrumentHttp2Server(tracer: Tracer): Disable {
  current = tracer
  const unsubscribe = subscribe({
    'tracing:net.server.listen:asyncStart': ({ server }: { server: unknown }) => {
      if (!isHttp2Server(server) || watched.has(server)) return
      watched.add(server)
      watchServer(server)
    },
  })
  return () => {
    unsubscribe()
    if (current === tracer) current = undefined
  }
}

/** Without loading `node:http2`: what its servers have, and no others. */
export function isHttp2Server(server: unknown): server is Http2Server {
  return (
    typeof server === 'object' &&
    server !== null &&
    typeof (server as Partial<Http2Server>).updateSettings === 'function'
  )
}

const start = guard('http2.server stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
  if (current !== undefined && !isFollowedCall(headers['content-type']))
    startRequest(current, stream, headers)
})

function watchServer(server: EventEmitter): void {
  ownEmit(server, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      if (args[0] !== 'stream') return original().apply(this, args)
      const stream = args[1] as ServerHttp2Stream
      // One that its handler emits again stays in the context that it is in by then.
      if (requestOnStream(stream) !== undefined) return original().apply(this, args)
      start(stream, args[2] as IncomingHttpHeaders)
      const request = requestOnStream(stream)
      if (request === undefined) return original().apply(this, args)
      return applyIn(request.context, original(), this, args)
    }
  })
}

function startRequest(tracer: Tracer, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  keepHttp2Listeners(stream)
  const method = headers[':method'] ?? ''
  const socket = stream.session!.socket as Socket
  const attributes = serverAttributes(
    {
      method,
      url: headers[':path'] ?? '/',
      // RFC 9113, section 8.3.1: it stands for the Host header.
      headers: headers[':authority'] === undefined ? headers : { ...headers, host: headers[':authority'] },
      httpVersion: '2',
    },
    socket,
  )
  const request = startTransaction(tracer, method, headers, attributes)
  keepByStream(stream, request)
  const close = guard('http2.server close', () => endRequest(stream, request))
  observeEmit(stream, (event) => {
    if (event === 'close') close(undefined)
  })
}

function endRequest(stream: ServerHttp2Stream, request: ServerRequest): void {
  forgetStream(stream)
  if (!request.span.isRecording()) return
  const { rstCode, errored, sentHeaders } = stream as ServerHttp2Stream & {
    readonly errored?: Error | null
    readonly sentHeaders?: Record<string, unknown>
  }
  const status = sentHeaders?.[':status']
  endTransaction(request, {
    status: typeof status === 'number' ? status : undefined,
    isFinished: stream.writableFinished && (rstCode === NO_ERROR || rstCode === CANCEL),
    error: errored,
    isLeft: rstCode === CANCEL || stream.aborted,
  })
}
