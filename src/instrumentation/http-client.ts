import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Attributes,
  context as contextApi,
  propagation,
  type Span,
  SpanKind,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { type Disable, guard, subscribe } from '../hooks/channels.js'
import { observeEmit } from '../hooks/observe-emit.js'
import { forgetAnswer, noteAnswer } from './answered.js'
import { headerSetter } from './http-client-headers.js'
import { onNewRequest } from './http-client-new.js'
import { keepHttpListeners, keepSocketListeners } from './http-listeners.js'
import {
  describePeer,
  describeStatus,
  fail,
  failAborted,
  isAbort,
  methodName,
  setMethod,
  splitHostPort,
  targetUrl,
} from './http-semantics.js'
import { redactUrl } from './redact.js'
import { isSuppressed } from './suppressed.js'

interface Call {
  readonly span: Span
  /** The port in the URL is not known yet: it is the connection's. */
  portless: boolean
  response: IncomingMessage | undefined
  ended: boolean
}

const calls = new WeakMap<ClientRequest, Call | 'suppressed'>()

/**
 * Makes a CLIENT span of each request that goes out through `node:http` or `node:https`, and sends the context along in its headers.
 *
 * A request is seen where it is made: on `http.client.request.created` where Node publishes it, else by {@link onNewRequest}.
 * `http.client.request.start`, which comes when the request was sent, is for what got past both: a span, but no headers.
 * The span ends with the response's body, or with the error.
 */
export function instrumentHttpClient(tracer: Tracer): Disable {
  let release: Disable | undefined
  const start = (request: ClientRequest) => {
    release ??= keepHttpListeners()
    startCall(tracer, request)
  }
  const failed = guard('http.client error', failCall)
  const watch = onNewRequest(guard('http.client new', start), failed)
  const unsubscribe = subscribe({
    'http.client.request.created': ({ request }: { request: ClientRequest }) => {
      watch.notNeeded()
      start(request)
    },
    'http.client.request.start': ({ request }: { request: ClientRequest }) => start(request),
    'http.client.response.finish': ({
      request,
      response,
    }: {
      request: ClientRequest
      response: IncomingMessage
    }) => {
      const call = calls.get(request)
      if (call !== undefined && call !== 'suppressed') receive(call, request, response)
    },
    'http.client.request.error': ({ request, error }: { request: ClientRequest; error: unknown }) =>
      failCall(request, error),
  })
  return () => {
    unsubscribe()
    watch.disable()
    release?.()
  }
}

function startCall(tracer: Tracer, request: ClientRequest): void {
  if (calls.has(request)) return
  const active = contextApi.active()
  if (isSuppressed(active)) {
    calls.set(request, 'suppressed')
    return
  }
  const { attributes, portless } = clientAttributes(request)
  const span = tracer.startSpan(methodName(request.method), { kind: SpanKind.CLIENT, attributes }, active)
  const call: Call = { span, portless, response: undefined, ended: false }
  calls.set(request, call)
  propagation.inject(contextWithSpan(active, span), request, headerSetter)
  if (!span.isRecording()) return
  const closed = guard('http.client close', close)
  const upgraded = guard('http.client upgrade', (response: IncomingMessage) =>
    upgrade(call, request, response),
  )
  observeEmit(request, (event, argument, second) => {
    if (event === 'close') closed(call, request)
    else if (event === 'upgrade' || event === 'connect') {
      keepSocketListeners(second)
      upgraded(argument as IncomingMessage)
    }
  })
}

function failCall(request: ClientRequest, error: unknown): void {
  const call = calls.get(request)
  if (call === undefined || call === 'suppressed' || call.ended) return
  if (!isAbort(error) && !(request.destroyed && isHangUp(error) && !isPeerGone(request.socket)))
    fail(call.span, error)
  end(call)
}

/** What Node makes up for a request that its caller has destroyed. */
function isHangUp(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ECONNRESET'
}

function clientAttributes(request: ClientRequest): { attributes: Attributes; portless: boolean } {
  const attributes: Attributes = {}
  setMethod(attributes, request.method)
  const header = hostHeader(request)
  const named = header === undefined ? undefined : splitHostPort(header)
  const address = addressOf(request, named?.host)
  attributes['server.address'] = address
  // A Host header of the application's own says nothing of the port that the connection goes to.
  const told = named !== undefined && named.host === address && isNodesHost(request)
  const port = told ? (named.port ?? defaultPort(request.protocol)) : undefined
  if (port !== undefined) attributes['server.port'] = port
  setUrl(attributes, request, address, port)
  return { attributes, portless: port === undefined }
}

function addressOf({ host }: ClientRequest, named = ''): string {
  return host === undefined || host === null ? named : host.replace(/^\[|\]$/g, '')
}

function setUrl(attributes: Attributes, request: ClientRequest, address: string, port?: number): void {
  const { method, protocol, path } = request
  const authority = address.includes(':') ? `[${address}]` : address
  const suffix = port === undefined || port === defaultPort(protocol) ? '' : `:${port}`
  const url = targetUrl(method, `${protocol}//${authority}${suffix}`, path)
  if (url !== undefined) attributes['url.full'] = redactUrl(url)
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80
}

/**
 * Whether the Host header can be the one that Node makes of where the connection goes. Node spells it `Host`; one that a
 * reverse proxy passes on from `IncomingMessage.headers` is spelled `host`.
 */
function isNodesHost(request: ClientRequest): boolean {
  const { _header: rendered } = request as { _header?: string | null }
  if (typeof rendered === 'string') return /^Host:/m.test(rendered)
  return request.getRawHeaderNames().includes('Host')
}

function hostHeader(request: ClientRequest): string | undefined {
  const set = request.getHeader('host')
  if (typeof set === 'string') return set
  // Headers that are given as a list are turned into text at once.
  const { _header: rendered } = request as { _header?: string | null }
  return typeof rendered === 'string' ? /^host: *(.+?)\r?$/im.exec(rendered)?.[1] : undefined
}

function receive(call: Call, request: ClientRequest, response: IncomingMessage): void {
  if (call.ended || call.response !== undefined) return
  call.response = response
  describeResponse(call, request, response)
  if (!call.span.isRecording()) return
  noteAnswer(call.span)
  const finished = guard('http.client end', end)
  const closed = guard('http.client close', close)
  observeEmit(response, (event) => {
    if (event === 'end') finished(call)
    else if (event === 'close') closed(call, request)
  })
}

function describeResponse(call: Call, request: ClientRequest, response: IncomingMessage): void {
  const { span } = call
  span.setAttribute('network.protocol.version', response.httpVersion)
  describePeer(span, request.socket)
  const { remotePort } = request.socket ?? {}
  if (call.portless && remotePort !== undefined) setPort(span, request, remotePort)
  describeStatus(span, response.statusCode ?? 0)
}

/** Where the Host header was not Node's, the connection tells the port, and by that the URL. */
function setPort(span: Span, request: ClientRequest, port: number): void {
  const attributes: Attributes = { 'server.port': port }
  const header = hostHeader(request)
  setUrl(attributes, request, addressOf(request, header && splitHostPort(header).host), port)
  span.setAttributes(attributes)
}

function upgrade(call: Call, request: ClientRequest, response: IncomingMessage): void {
  if (call.ended) return
  describeResponse(call, request, response)
  end(call)
}

function close(call: Call, request: ClientRequest): void {
  if (call.ended) return
  // What the caller has given up on purpose is no failure (semantic conventions for HTTP, "Status").
  if (call.response?.complete !== true && !isGivenUp(call, request)) {
    const { errored } = request
    // An error of the caller's own, such as that of a timeout.
    if (errored && !isHangUp(errored) && !isAbort(errored)) fail(call.span, errored)
    else failAborted(call.span)
  }
  end(call)
}

/** Whether the caller has destroyed the request or the response itself, without an error. */
function isGivenUp({ response }: Call, request: ClientRequest): boolean {
  const { destroyed, errored, socket } = request
  const isWithout = errored === null || errored === undefined || isAbort(errored)
  if (response !== undefined) {
    // The response is `aborted` by the other side's end, and by its own request that is destroyed.
    const { errored: error } = response
    const isOnPurpose = error === null || isAbort(error) || (isWithout && isHangUp(error))
    return response.destroyed && isOnPurpose && !isPeerGone(socket)
  }
  return destroyed && isWithout && !isPeerGone(socket)
}

function isPeerGone(socket: Socket | null | undefined): boolean {
  return (
    socket?.readableEnded === true ||
    (socket?.errored !== null && socket?.errored !== undefined && !isAbort(socket.errored))
  )
}

function end(call: Call): void {
  if (call.ended) return
  call.ended = true
  forgetAnswer(call.span)
  call.span.end()
}
