/** Calls that are handled. */
import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import {
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import { spanOf } from '../../context/context.js'
import { recordError } from '../../context/exception.js'
import { Snapshot } from '../../context/snapshot.js'
import { contextOfLocalRoot } from '../../context/transaction.js'
import { redactText } from '../../exceptions/redact-text.js'
import { guarded } from '../../hooks/guarded.js'
import { observeEmit } from '../../hooks/observe-emit.js'
import type { Method } from '../../hooks/patch-method.js'
import { readTarget } from './target.js'
import { callAttributes, codeOf, current, methodOf, type Status } from './tracer.js'

/** What is no fault of the caller, by the semantic conventions for gRPC. */
const SERVER_ERRORS: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

type Listener = Readonly<Record<string, unknown>>

/** A call, around which are the application's interceptors. */
interface Call {
  start: (listener: Listener) => void
  sendStatus: (status: Status) => void
}

/** What handlers have failed with. */
const failures = new WeakMap<Span, unknown>()

/** `getServerInterceptingCall(interceptors, stream, headers, tracker, handler, options)`. */
export function calledServer(original: Method): Method {
  return function (...args) {
    const [, stream, headers, , handler] = args
    const { path } = handler as { path?: unknown }
    const span = guarded('grpc', () =>
      begin(stream as ServerHttp2Stream, headers as IncomingHttpHeaders, path),
    )
    if (span === undefined) return original.apply(this, args)
    const call = span.snapshot.run(() => original.apply(this, args)) as Call
    guarded('grpc', () => follow(call, span))
    return call
  }
}

interface Begun {
  readonly span: Span
  readonly snapshot: Snapshot
}

function begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, path: unknown): Begun | undefined {
  const tracer = current.tracer
  if (tracer === undefined) return undefined
  const parent = propagation.extract(ROOT_CONTEXT, headers)
  const method = methodOf(path)
  const { address, port } = readTarget(String(headers[':authority'] ?? headers['host'] ?? ''))
  const { remoteAddress, remotePort } = stream.session?.socket ?? {}
  const attributes = callAttributes(method, address, port)
  if (remoteAddress !== undefined) attributes['network.peer.address'] = remoteAddress
  if (remotePort !== undefined) attributes['network.peer.port'] = remotePort
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent)
  return { span, snapshot: Snapshot.ROOT.withContext(contextOfLocalRoot(parent, span, method)) }
}

/** The handler, and what is heard of the call, run in its transaction; that ends with the status that is sent. */
function follow(call: Call, { span, snapshot }: Begun): void {
  const { start, sendStatus } = call
  let isOver = false
  const ended = (status: Status): void => {
    if (isOver) return
    isOver = true
    end(span, status)
  }
  call.start = (listener) => {
    const around: Record<string, unknown> = {}
    for (const [name, heard] of Object.entries(listener)) {
      if (typeof heard !== 'function') continue
      around[name] = (...args: unknown[]) => snapshot.run(() => Reflect.apply(heard, listener, args))
    }
    const { onCancel } = around
    // The stream has closed: also after the status, and after one that the deadline has sent.
    around['onCancel'] = (...args: unknown[]) => {
      ended({ code: 1 })
      if (typeof onCancel === 'function') onCancel(...args)
    }
    return snapshot.run(() => Reflect.apply(start, call, [around]))
  }
  call.sendStatus = (status) => {
    ended(status)
    return Reflect.apply(sendStatus, call, [status])
  }
}

function end(span: Span, status: Status): void {
  const code = codeOf(status)
  span.setAttribute('rpc.status_code', code)
  if (SERVER_ERRORS.has(code)) {
    if (failures.has(span)) recordError(span, failures.get(span))
    else span.setStatus({ code: SpanStatusCode.ERROR, message: redactText(String(status.details ?? '')) })
    span.setAttribute('error.type', code)
  }
  span.end()
}

/** `Server.prototype.register(name, handler, serialize, deserialize, type)`: a status does not say what the handler has failed with. */
export function registering(original: Method): Method {
  return function (...args) {
    const [, handler] = args
    if (typeof handler === 'function') args[1] = noting(handler as Method)
    return original.apply(this, args)
  }
}

function noting(handler: Method): Method {
  return function (...args) {
    const span = spanOf(contextApi.active())
    if (current.tracer === undefined || span === undefined) return handler.apply(this, args)
    const [call, callback] = args
    const note = (error: unknown): void => {
      if (error instanceof Error) failures.set(span, error)
    }
    if (typeof callback === 'function') {
      args[1] = function (this: unknown, ...results: unknown[]): unknown {
        note(results[0])
        return Reflect.apply(callback, this, results)
      }
    } else {
      guarded('grpc', () =>
        observeEmit(call as EventEmitter, (event, error) => {
          if (event === 'error') note(error)
        }),
      )
    }
    try {
      return handler.apply(this, args)
    } catch (error) {
      note(error)
      throw error
    }
  }
}
