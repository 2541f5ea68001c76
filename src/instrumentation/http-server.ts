import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Context, Tracer } from '@opentelemetry/api'
import { isDeactivated } from '../config/live.js'
import { applyIn } from '../context/current.js'
import { type Disable, guard, subscribe } from '../hooks/channels.js'
import { observeEmit, ownEmit } from '../hooks/observe-emit.js'
import { provided } from './frameworks/provided.js'
import { keepHttpListeners, keepSocketListeners } from './http-listeners.js'
import { serverAttributes } from './http-server-attributes.js'
import {
  arrivedContext,
  currentRequest,
  endTransaction,
  keepCurrent,
  requestOnStream,
  type ServerRequest,
  setRequestName,
  setRoute,
  startTransaction,
} from './server-transaction.js'

interface RequestMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly server: Server
}

interface OpenRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly transaction: ServerRequest
  isHandled: boolean
}

/**
 * What is open on each connection; pipelining makes it more than one. Kept by connection, not by request: an entry in a weak map
 * costs the garbage collector more than all else here, and connections are few.
 */
const connections = new WeakMap<Socket, OpenRequest[]>()
const watchedServers = new WeakSet<Server>()

/** The events of a server whose listeners handle a request that was announced on the channel. */
const HANDLING = new Set<string | symbol>(['request', 'checkContinue', 'checkExpectation'])

/**
 * Makes a transaction of each request that a server of `node:http` or `node:https` receives, and runs its handlers in it.
 *
 * `http.server.request.start` is published right before the server emits `request`, and by itself cannot put the handler into a
 * context without `enterWith`, which would leak into the next request of the connection. So a server that is seen for the
 * first time gets an `emit` of its own. The end comes from `http.server.response.finish`; for a response that never finishes, from
 * the connection's `close`. HTTP/2 publishes on neither: see `http2/server.ts`.
 */
export function instrumentHttpServer(tracer: Tracer): Disable {
  let release: Disable | undefined
  provided.requests = {
    of: serverRequest,
    current: currentRequest,
    keepCurrent,
    setRoute,
    setName: setRequestName,
  }
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
      const ended = openRequest(request, open)
      if (ended === undefined) return
      // Nearly always the only one.
      if (open!.at(-1) === ended) open!.pop()
      else open!.splice(open!.indexOf(ended), 1)
      endRequest(ended, true)
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
  const open = openRequest(request, openRequests(request))
  return open?.transaction ?? requestOnStream((request as { stream?: unknown }).stream)
}

/** What a framework knows of a request: the route that it has found. `request` may be one that is not followed. */
export const noteRoute = guard('route', (request: IncomingMessage | undefined, route: string) => {
  const handled = request && serverRequest(request)
  if (handled !== undefined) setRoute(handled, request?.method ?? '', route)
})

/** What a handler of the request failed with, by which a framework answers: an error of the service if the answer is one. */
export const noteThrown = guard('thrown', (request: IncomingMessage | undefined, error: unknown) => {
  const handled = request && serverRequest(request)
  if (handled !== undefined) handled.thrown ??= error
})

/** Those of the connection that a request came by. */
function openRequests({ socket }: IncomingMessage): readonly OpenRequest[] | undefined {
  return typeof socket === 'object' && socket !== null ? connections.get(socket) : undefined
}

function openRequest(
  request: IncomingMessage,
  open: readonly OpenRequest[] | undefined,
): OpenRequest | undefined {
  if (open !== undefined) for (const other of open) if (other.request === request) return other
  return undefined
}

/** Without loading `node:http`: what its servers have, and those of `node:net` have not. */
export function isHttpServer(server: unknown): server is Server {
  return (
    typeof server === 'object' && server !== null && 'requestTimeout' in server && 'headersTimeout' in server
  )
}

function startRequest(tracer: Tracer, { request, response, socket }: RequestMessage): void {
  const transaction = startTransaction(
    tracer,
    request.method ?? '',
    request.headers,
    serverAttributes(request, socket),
  )
  openRequestsOf(socket).push({ request, response, transaction, isHandled: false })
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
function endRequest(open: OpenRequest, isFinished: boolean, isLeft = false): void {
  const { response, transaction } = open
  if (!transaction.span.isRecording()) return
  if (transaction.route === undefined) setExpressRoute(open)
  const status = isFinished || response.headersSent ? response.statusCode : undefined
  const error = response.errored ?? (isFinished || isLeft ? undefined : open.request.socket?.errored)
  endTransaction(transaction, { status, isFinished, error, isLeft })
}

/** Express leaves the route that answered on the request: of use where its files are not seen, as in a bundle. */
function setExpressRoute({ request, transaction }: OpenRequest): void {
  const { route, baseUrl } = request as IncomingMessage & { route?: { path?: unknown }; baseUrl?: unknown }
  if (typeof route !== 'object' || route === null || typeof route.path !== 'string') return
  if (isDeactivated('express')) return
  const template = `${typeof baseUrl === 'string' ? baseUrl : ''}${route.path}`
  // A router that its handler has failed in has taken its own part away again: better no route than half of one.
  if (isWhole(template, request)) setRoute(transaction, request.method ?? '', template)
}

/** Whether a template is of as many parts as the path that it has matched; one with a pattern may be of any number. */
function isWhole(
  template: string,
  { url = '', originalUrl }: IncomingMessage & { originalUrl?: unknown },
): boolean {
  if (/[*?+(){}]/.test(template)) return true
  const path = (typeof originalUrl === 'string' ? originalUrl : url).replace(/[?#].*$/s, '')
  const partsOf = (text: string): number => text.split('/').filter((part) => part !== '').length
  return partsOf(template) === partsOf(path)
}

function watchServer(server: Server): void {
  if (watchedServers.has(server)) return
  watchedServers.add(server)
  ownEmit(server, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      const context = contextOf(args[0], args[1])
      if (args[0] === 'upgrade' || args[0] === 'connect') keepSocketListeners(args[2])
      if (context === undefined) return original().apply(this, args)
      return applyIn(context, original(), this, args)
    }
  })
}

function contextOf(event: string | symbol, argument: unknown): Context | undefined {
  if (HANDLING.has(event)) {
    const request = argument as IncomingMessage
    const open = openRequest(request, openRequests(request))
    // A request that its handler emits again, on this server or another, stays in the context it is in by then.
    if (open === undefined || open.isHandled) return undefined
    open.isHandled = true
    return open.transaction.context
  }
  // A connection that becomes something else is no transaction, but it continues the trace that it came with.
  if (event === 'upgrade' || event === 'connect') {
    const headers = (argument as IncomingMessage | undefined)?.headers
    if (headers !== undefined) return arrivedContext(headers)
  }
  return undefined
}
