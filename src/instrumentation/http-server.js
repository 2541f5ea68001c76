import {
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import { contextWithTransaction, transactionOf } from '../context/transaction.js'
import { guard, subscribe } from './channels.js'
import { errorType, failAborted, methodName } from './http-semantics.js'
import { serverAttributes } from './http-server-attributes.js'
import { observeEmit, ownEmit } from './observe-emit.js'

const requests = new WeakMap()
const connections = new WeakMap()
const watchedServers = new WeakSet()
const headerGetter = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key.toLowerCase()],
}
/** The events of a server whose listeners handle a request that was announced on the channel. */
const HANDLING = new Set(['request', 'checkContinue', 'checkExpectation'])
/**
 * Makes a transaction of each request that a server of `node:http` or `node:https` receives, and runs its handlers in it.
 *
 * `http.server.request.start` is published right before the server emits `request`, and by itself cannot put the handler into a
 * context without `enterWith`, which would leak into the next request of the connection. So a server that is seen for the
 * first time gets an `emit` of its own. The end comes from `http.server.response.finish`; for a response that never finishes, from
 * the connection's `close`. HTTP/2 publishes on neither and is not followed.
 */
export function instrumentHttpServer(tracer) {
  return subscribe({
    // Before any request: one that asks for an upgrade is not published at all.
    'tracing:net.server.listen:asyncStart': ({ server }) => {
      if (isHttpServer(server)) watchServer(server)
    },
    'http.server.request.start': (message) => {
      watchServer(message.server)
      startRequest(tracer, message)
    },
    'http.server.response.finish': ({ request }) => {
      const open = requests.get(request)
      if (open !== undefined) endRequest(open, request, true)
    },
  })
}
/** The transaction of a request, for what knows more of it (frameworks); undefined where it was not followed. */
export function serverRequest(request) {
  return requests.get(request)
}
/** Names the transaction by its route: `GET /users/:id`, as the semantic conventions have it. */
export function setRoute(handled, method, route) {
  if (handled.route === route) return
  handled.route = route
  handled.transaction.setAttribute('http.route', route).setName(`${methodName(method)} ${route}`)
}
/** Without loading `node:http`: what its servers have, and those of `node:net` have not. */
function isHttpServer(server) {
  return (
    typeof server === 'object' && server !== null && 'requestTimeout' in server && 'headersTimeout' in server
  )
}
function startRequest(tracer, { request, response, socket }) {
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
  const open = {
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
function openRequestsOf(socket) {
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
function abortRequests(connection) {
  for (const open of connection) endRequest(open, undefined, false)
}
function endRequest(open, request, finished) {
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
function setExpressRoute(open, request) {
  const { route, baseUrl } = request
  if (typeof route !== 'object' || route === null || typeof route.path !== 'string') return
  setRoute(open, request.method ?? '', `${typeof baseUrl === 'string' ? baseUrl : ''}${route.path}`)
}
function watchServer(server) {
  if (watchedServers.has(server)) return
  watchedServers.add(server)
  ownEmit(server, (original, event, args) => {
    const context = contextOf(event, args[0])
    if (context === undefined) return original.call(server, event, ...args)
    return contextApi.with(context, original, server, event, ...args)
  })
}
function contextOf(event, argument) {
  if (HANDLING.has(event)) {
    const open = requests.get(argument)
    // A request that its handler emits again, on this server or another, stays in the context it is in by then.
    if (open === undefined || open.handled) return undefined
    open.handled = true
    return open.context
  }
  // A connection that becomes something else is no transaction, but it continues the trace that it came with.
  if (event === 'upgrade' || event === 'connect') {
    const headers = argument?.headers
    if (headers !== undefined) return propagation.extract(ROOT_CONTEXT, headers, headerGetter)
  }
  return undefined
}
