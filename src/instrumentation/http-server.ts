import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Context,
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithTransaction, type Transaction, transactionOf } from '../context/transaction.js'
import { type Disable, guard, subscribe } from './channels.js'
import { errorType, failAborted, methodName } from './http-semantics.js'
import { serverAttributes } from './http-server-attributes.js'
import { observeEmit, ownEmit } from './observe-emit.js'

interface RequestMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly server: Server
}

/** A request that an HTTP server is at work on. */
export interface ServerRequest {
  /** Its span is the SERVER span. */
  readonly transaction: Transaction
  /** The template of the matched route (`/users/:id`), once a framework told it. */
  route: string | undefined
  /** What the handler failed with; it is in the span already. */
  error: unknown
}

interface OpenRequest extends ServerRequest {
  readonly context: Context
  readonly response: ServerResponse
  /** What else is open on the connection; pipelining makes it more than one. */
  readonly connection: Set<OpenRequest>
  handled: boolean
}

const requests = new WeakMap<IncomingMessage, OpenRequest>()
const connections = new WeakMap<Socket, Set<OpenRequest>>()
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
  return subscribe({
    // Before any request: one that asks for an upgrade is not published at all.
    'tracing:net.server.listen:asyncStart': ({ server }: { server: Server }) => {
      if (isHttpServer(server)) watchServer(server)
    },
    'http.server.request.start': (message: RequestMessage) => {
      watchServer(message.server)
      startRequest(tracer, message)
    },
    'http.server.response.finish': ({ request }: RequestMessage) => {
      const open = requests.get(request)
      if (open !== undefined) endRequest(open, request, true)
    },
  })
}

/** The transaction of a request, for what knows more of it (frameworks); undefined where it was not followed. */
export function serverRequest(request: IncomingMessage): ServerRequest | undefined {
  return requests.get(request)
}

/** Names the transaction by its route: `GET /users/:id`, as the semantic conventions have it. */
export function setRoute(handled: ServerRequest, method: string, route: string): void {
  if (handled.route === route) return
  handled.route = route
  handled.transaction.setAttribute('http.route', route).setName(`${methodName(method)} ${route}`)
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
  const transaction = transactionOf(span, name)
  const connection = openRequestsOf(socket)
  const open: OpenRequest = {
    transaction,
    context: contextWithTransaction(parent, transaction),
    response,
    connection,
    route: undefined,
    error: undefined,
    handled: false,
  }
  requests.set(request, open)
  if (span.isRecording()) connection.add(open)
}

function openRequestsOf(socket: Socket): Set<OpenRequest> {
  let open = connections.get(socket)
  if (open !== undefined) return open
  open = new Set()
  connections.set(socket, open)
  const abort = guard('http.server abort', abortRequests)
  const of = open
  observeEmit(socket, (event) => {
    if (event === 'close' && of.size !== 0) abort(of)
  })
  return open
}

function abortRequests(connection: Set<OpenRequest>): void {
  for (const open of connection) endRequest(open, undefined, false)
}

function endRequest(open: OpenRequest, request: IncomingMessage | undefined, finished: boolean): void {
  // Handlers that go on after the response keep the context, but the span ends once.
  if (!open.connection.delete(open)) return
  const { response } = open
  const { span } = open.transaction
  if (request !== undefined && open.route === undefined) setExpressRoute(open, request)
  if (finished || response.headersSent) span.setAttribute('http.response.status_code', response.statusCode)
  if (!finished) {
    failAborted(span)
  } else if (response.statusCode >= 500) {
    const { error } = open
    span.setAttribute('error.type', error === undefined ? String(response.statusCode) : errorType(error))
    span.setStatus(
      error instanceof Error
        ? { code: SpanStatusCode.ERROR, message: error.message }
        : { code: SpanStatusCode.ERROR },
    )
  }
  span.end()
}

/** Express leaves the route that answered on the request: nothing of it needs to be watched. */
function setExpressRoute(open: OpenRequest, request: IncomingMessage): void {
  const { route, baseUrl } = request as { route?: { path?: unknown }; baseUrl?: unknown }
  if (typeof route !== 'object' || route === null || typeof route.path !== 'string') return
  setRoute(open, request.method ?? '', `${typeof baseUrl === 'string' ? baseUrl : ''}${route.path}`)
}

function watchServer(server: Server): void {
  if (watchedServers.has(server)) return
  watchedServers.add(server)
  ownEmit(server, (original, event, args) => {
    const context = contextOf(event, args[0])
    if (context === undefined) return original.call(server, event, ...args)
    return contextApi.with(
      context,
      original as (this: EventEmitter, ...rest: unknown[]) => boolean,
      server,
      event,
      ...args,
    )
  })
}

function contextOf(event: string | symbol, argument: unknown): Context | undefined {
  if (HANDLING.has(event)) {
    const open = requests.get(argument as IncomingMessage)
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
