import { context as contextApi, propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { guard, subscribe } from './channels.js'
import { onAgentRequest } from './http-client-agent.js'
import { headerSetter } from './http-client-headers.js'
import { fail, failAborted, methodName, setMethod, splitHostPort } from './http-semantics.js'
import { observeEmit } from './observe-emit.js'
import { redactUrl } from './redact.js'
import { isSuppressed } from './suppressed.js'

const calls = new WeakMap()
/**
 * Makes a CLIENT span of each request that goes out through `node:http` or `node:https`, and sends the context along in its headers.
 *
 * A request is seen where it is made: on `http.client.request.created` where Node publishes it, else through the agent that it is
 * given to ({@link onAgentRequest}). The few that have no agent are seen when they end, on `http.client.request.start`, which is
 * early enough for the headers as long as no connection was there. The span ends with the response's body, or with the error.
 */
export function instrumentHttpClient(tracer) {
  const start = (request) => startCall(tracer, request)
  const agents = onAgentRequest(guard('http.Agent', start))
  const unsubscribe = subscribe({
    'http.client.request.created': ({ request }) => {
      agents.notNeeded()
      start(request)
    },
    'http.client.request.start': ({ request }) => start(request),
    'http.client.response.finish': ({ request, response }) => {
      const call = calls.get(request)
      if (call !== undefined && call !== 'suppressed') receive(call, request, response)
    },
    'http.client.request.error': ({ request, error }) => {
      const call = calls.get(request)
      if (call === undefined || call === 'suppressed' || call.ended) return
      fail(call.span, error)
      end(call)
    },
  })
  return () => {
    unsubscribe()
    agents.disable()
  }
}
function startCall(tracer, request) {
  if (calls.has(request)) return
  const active = contextApi.active()
  if (isSuppressed(active)) {
    calls.set(request, 'suppressed')
    return
  }
  const { attributes, portless } = clientAttributes(request)
  const span = tracer.startSpan(methodName(request.method), { kind: SpanKind.CLIENT, attributes }, active)
  const call = { span, portless, response: undefined, ended: false }
  calls.set(request, call)
  propagation.inject(contextWithSpan(active, span), request, headerSetter)
  if (!span.isRecording()) return
  const closed = guard('http.client close', close)
  const upgraded = guard('http.client upgrade', upgrade)
  observeEmit(request, (event, argument) => {
    if (event === 'close') closed(call)
    else if (event === 'upgrade' || event === 'connect') upgraded(call, request, argument)
  })
}
function clientAttributes(request) {
  const attributes = {}
  setMethod(attributes, request.method)
  const { protocol, host, path } = request
  const header = hostHeader(request)
  const named = header === undefined ? undefined : splitHostPort(header)
  const address = host === undefined || host === null ? (named?.host ?? '') : host.replace(/^\[|\]$/g, '')
  attributes['server.address'] = address
  // A Host header of the application's own says nothing of the port that the connection goes to.
  const told = named !== undefined && named.host === address
  const port = told ? (named.port ?? (protocol === 'https:' ? 443 : 80)) : undefined
  if (port !== undefined) attributes['server.port'] = port
  const absolute = path.includes('://') && !path.startsWith('/')
  const authority = told ? header : address.includes(':') ? `[${address}]` : address
  attributes['url.full'] = redactUrl(absolute ? path : `${protocol}//${authority}${path}`)
  return { attributes, portless: port === undefined }
}
function hostHeader(request) {
  const set = request.getHeader('host')
  if (typeof set === 'string') return set
  // Headers that are given as a list are turned into text at once.
  const { _header: rendered } = request
  return typeof rendered === 'string' ? /^host: *(.+?)\r?$/im.exec(rendered)?.[1] : undefined
}
function receive(call, request, response) {
  if (call.ended || call.response !== undefined) return
  call.response = response
  describeResponse(call, request, response)
  if (!call.span.isRecording()) return
  const finished = guard('http.client end', end)
  const closed = guard('http.client close', close)
  observeEmit(response, (event) => {
    if (event === 'end') finished(call)
    else if (event === 'close') closed(call)
  })
}
function describeResponse(call, request, response) {
  const { span } = call
  const status = response.statusCode ?? 0
  span.setAttribute('http.response.status_code', status)
  span.setAttribute('network.protocol.version', response.httpVersion)
  const { remoteAddress, remotePort } = request.socket ?? {}
  if (remoteAddress !== undefined && remotePort !== undefined) {
    span.setAttribute('network.peer.address', remoteAddress)
    span.setAttribute('network.peer.port', remotePort)
    if (call.portless) span.setAttribute('server.port', remotePort)
  }
  if (status >= 400) {
    span.setAttribute('error.type', String(status))
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
}
function upgrade(call, request, response) {
  if (call.ended) return
  describeResponse(call, request, response)
  end(call)
}
function close(call) {
  if (call.ended) return
  if (call.response?.complete !== true) failAborted(call.span)
  end(call)
}
function end(call) {
  if (call.ended) return
  call.ended = true
  call.span.end()
}
