import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Context,
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { recordError } from '../context/exception.js'
import { contextWithTransaction, transactionOf } from '../context/transaction.js'
import { type Disable, guard, subscribe } from '../hooks/channels.js'
import { observeEmit, ownEmit } from '../hooks/observe-emit.js'
import { keepHttpListeners, keepSocketListeners } from './http-listeners.js'
import { errorType, fail, failAborted, methodName } from './http-semantics.js'
import { serverAttributes } from './http-server-attributes.js'

interface RequestMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly server: Server
}

/** A request that an HTTP server is at work on. */
export interface ServerRequest {
  /** The SERVER span, which is the transaction. */
  readonly span: Span
  /** The template of the matched route (`/users/:id`), once a framework told it. */
  route: string | undefined
  /** What the handler failed with; it is in the span already. */
  error: unknown
  /** What a handler failed with on the way. It is an error of the service only if the answer is one (status 500 and above). */
  thrown: unknown
  /** The template of the routers that the request is in: `/orgs/:org`. */
  mount: string
  /** What the span was named here last: any other name is the application's own. */
  name: string
}

interface OpenRequest extends ServerRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly context: Context
  handled: boolean
}

/**
 * What is open on each connection; pipelining makes it more than one. Kept by connection, not by request: an entry in a weak map
 * costs the garbage collector more than all else here, and connections are few.
 */
const connections = new WeakMap<Socket, OpenRequest[]>()
const watchedServers = new WeakSet<Server>()

const headerGetter: TextMapGetter<IncomingMessage['headers']> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key.toLowerCase()],
}

/** The events of a server whose listeners handle a request that was announced on the channel. */
const HANDLING = new Set<string | symbol>(['request', 'checkContinue', 'checkExpectation'])

/**
 * Makes a transaction of each request that a server of `node:http` or `node:https` receives, and runs its handlers in it.
 *
 * `http.server.request.start` is published right before the server emits `request`, and by itself cannot put the handler into a
 * context without `enterWith`, which would leak into the next request of the connection. So a server that is seen for the
 * first time gets an `emit` of its own. The end comes from `http.server.response.finish`; for a response that never finishes, from
 * the connection's `close`. HTTP/2 publishes on neither and is not followed.
 */
export function instrumentHttpServer(tracer: Tracer): Disable {
  let release: Disable | undefined
  const unsubscribe = subscribe({
    // Before any request: one that asks for an upgrade is not published at all.
    'tracing:net.server.listen:asyncStart': ({ server }: { server: Server }) => {
      if (isHttpServer(server)) watchServer(server)
    },
    'http.server.request.start': (message: RequestMessage) => {
      release ??= keepHttpListeners()
      watchServer(message.server)
      startRequest(tracer, message)
    },
    'http.server.response.finish': ({ request, socket }: RequestMessage) => {
      const open = connections.get(socket)
      const at = open === undefined ? -1 : open.findIndex((other) => other.request === request)
      if (at !== -1) endRequest(open!.splice(at, 1)[0]!, true)
    },
  })
  return () => {
    unsubscribe()
    release?.()
  }
}

/**
 * The transaction of a request, for what knows more of it (frameworks); undefined where it is not followed, and after its response.
 */
export function serverRequest(request: IncomingMessage): ServerRequest | undefined {
  return openRequest(request)
}

function openRequest(request: IncomingMessage): OpenRequest | undefined {
  const { socket } = request
  const open = typeof socket === 'object' && socket !== null ? connections.get(socket) : undefined
  return open?.find((other) => other.request === request)
}

/**
 * Names the transaction by its route: `GET /users/:id`, as the semantic conventions have it. A name that the application gave stays;
 * to be called before the handler is, so that what the handler says comes last.
 */
export function setRoute(handled: ServerRequest, method: string, route: string): void {
  if (handled.route === route) return
  handled.route = route
  const { span } = handled
  span.setAttribute('http.route', route)
  const { name } = span as { name?: unknown }
  if (typeof name === 'string' && name !== handled.name) return
  handled.name = `${methodName(method)} ${route}`
  transactionOf(span).setName(handled.name)
}

/** Without loading `node:http`: what its servers have, and those of `node:net` have not. */
function isHttpServer(server: unknown): server is Server {
  return (
    typeof server === 'object' && server !== null && 'requestTimeout' in server && 'headersTimeout' in server
  )
}

function startRequest(tracer: Tracer, { request, response, socket }: RequestMessage): void {
  // Not from the active context: a connection has that of whoever called `listen`.
  const parent = propagation.extract(ROOT_CONTEXT, request.headers, headerGetter)
  const name = methodName(request.method ?? '')
  const span = tracer.startSpan(
    name,
    { kind: SpanKind.SERVER, attributes: serverAttributes(request, socket) },
    parent,
  )
  openRequestsOf(socket).push({
    span,
    request,
    response,
    context: contextOfTransaction(parent, span, name),
    route: undefined,
    error: undefined,
    thrown: undefined,
    mount: '',
    name,
    handled: false,
  })
}

/** A context in which `span` is the active one and the transaction. Our recorder's spans know what their transaction is. */
function contextOfTransaction(parent: Context, span: Span, name: string): Context {
  if ((span as { localRoot?: unknown }).localRoot === span) return contextWithSpan(parent, span)
  return contextWithTransaction(parent, transactionOf(span, name))
}

function openRequestsOf(socket: Socket): OpenRequest[] {
  const known = connections.get(socket)
  if (known !== undefined) return known
  const open: OpenRequest[] = []
  connections.set(socket, open)
  const abort = guard('http.server abort', () => {
    for (const request of open.splice(0)) endRequest(request, false, isLeft(socket))
  })
  observeEmit(socket, (event) => {
    if (event === 'close' && open.length !== 0) abort(undefined)
  })
  return open
}

/** Whether the other side has closed the connection: it is done with the response, as with a stream of events, or does not want it. */
function isLeft(socket: Socket): boolean {
  const code = (socket.errored as NodeJS.ErrnoException | null)?.code
  return socket.readableEnded || code === 'ECONNRESET' || code === 'EPIPE'
}

/** @param isLeft the response was not finished, and it was the client that has left: no failure of the service. */
function endRequest(open: OpenRequest, finished: boolean, isLeft = false): void {
  const { span, response } = open
  if (!span.isRecording()) return
  if (finished && response.statusCode >= 500 && open.error === undefined && open.thrown !== undefined) {
    open.error = open.thrown
    recordError(span, open.error)
  }
  const { error } = open
  if (open.route === undefined) setExpressRoute(open)
  if (finished || response.headersSent) span.setAttribute('http.response.status_code', response.statusCode)
  if (!finished) {
    if (response.errored) fail(span, response.errored)
    else if (!isLeft) failAborted(span)
  } else if (response.statusCode >= 500) {
    span.setAttribute('error.type', error === undefined ? String(response.statusCode) : errorType(error))
    span.setStatus(
      error instanceof Error
        ? { code: SpanStatusCode.ERROR, message: error.message }
        : { code: SpanStatusCode.ERROR },
    )
  }
  span.end()
}

/** Express leaves the route that answered on the request: of use where its files are not seen, as in a bundle. */
function setExpressRoute(open: OpenRequest): void {
  const { request } = open
  const { route, baseUrl } = request as IncomingMessage & { route?: { path?: unknown }; baseUrl?: unknown }
  if (typeof route !== 'object' || route === null || typeof route.path !== 'string') return
  setRoute(open, request.method ?? '', `${typeof baseUrl === 'string' ? baseUrl : ''}${route.path}`)
}

function watchServer(server: Server): void {
  if (watchedServers.has(server)) return
  watchedServers.add(server)
  ownEmit(server, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      const context = contextOf(args[0], args[1])
      if (args[0] === 'upgrade' || args[0] === 'connect') keepSocketListeners(args[2])
      if (context === undefined) return original().apply(this, args)
      return contextApi.with(context, original(), this, ...args)
    }
  })
}

function contextOf(event: string | symbol, argument: unknown): Context | undefined {
  if (HANDLING.has(event)) {
    const open = openRequest(argument as IncomingMessage)
    // A request that its handler emits again, on this server or another, stays in the context it is in by then.
    if (open === undefined || open.handled) return undefined
    open.handled = true
    return open.context
  }
  // A connection that becomes something else is no transaction, but it continues the trace that it came with.
  if (event === 'upgrade' || event === 'connect') {
    const headers = (argument as IncomingMessage | undefined)?.headers
    if (headers !== undefined) return propagation.extract(ROOT_CONTEXT, headers, headerGetter)
  }
  return undefined
}
