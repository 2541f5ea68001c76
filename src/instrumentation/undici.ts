import {
  type Attributes,
  context as contextApi,
  propagation,
  type Span,
  SpanKind,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { count } from '../core/counters.js'
import { type Disable, subscribe } from '../hooks/channels.js'
import { endWithAnswer, forgetAnswer, noteAnswer } from './answered.js'
import {
  describePeer,
  describeStatus,
  fail,
  isAbort,
  methodName,
  type Peer,
  setMethod,
  splitHostPort,
  targetUrl,
} from './http-semantics.js'
import { redactUrl } from './redact.js'
import { isSuppressed } from './suppressed.js'

/** What the channels of undici (versions 5 to 8) tell of a request. */
interface UndiciRequest {
  readonly origin?: string | URL
  readonly method: string
  readonly path: string
  readonly upgrade?: unknown
  /** Names and values by turns; text in version 5. */
  readonly headers?: unknown[] | string
  addHeader?(name: string, value: string): unknown
}

const spans = new WeakMap<UndiciRequest, Span>()

/**
 * The ids of the spans that wait for their answer: what undici itself holds on to. Not until their end, which a body that nobody reads does
 * not come to.
 */
const unanswered = new Set<string>()

/** Whether a `traceparent` is that of a request of undici that is not answered: its own connections of HTTP/2 are told by that. */
export function isCarriedByUndici(traceparent: unknown): boolean {
  return typeof traceparent === 'string' && unanswered.has(traceparent.slice(36, 52))
}

function settle(span: Span): void {
  unanswered.delete(span.spanContext().spanId)
}

const headerSetter: TextMapSetter<UndiciRequest> = {
  set(request, name, value) {
    try {
      const { headers } = request
      const at = Array.isArray(headers) ? headers.findIndex((key, i) => i % 2 === 0 && isName(key, name)) : -1
      // Undici appends, and a second traceparent would make servers ignore both.
      if (at !== -1) (headers as unknown[])[at + 1] = value
      else request.addHeader?.(name, value)
    } catch {
      count('undici.header')
    }
  },
}

interface UndiciSocket extends Peer {
  alpnProtocol?: unknown
}

function isName(key: unknown, name: string): boolean {
  return typeof key === 'string' && key.length === name.length && key.toLowerCase() === name.toLowerCase()
}

/**
 * Makes a CLIENT span of each request of `fetch` and of undici, the one in Node and installed ones alike, and sends the
 * context along in its headers. Each attempt and each redirect is a request of its own. A request that asks for another protocol
 * (WebSocket, CONNECT) has no end of its own: it carries the context, but is no span.
 */
export function instrumentUndici(tracer: Tracer): Disable {
  return subscribe({
    'undici:request:create': ({ request }: { request: UndiciRequest }) => start(tracer, request),
    'undici:client:sendHeaders': ({ request, socket }: { request: UndiciRequest; socket?: UndiciSocket }) => {
      const span = spans.get(request)
      if (span === undefined) return
      describePeer(span, socket)
      span.setAttribute('network.protocol.version', socket?.alpnProtocol === 'h2' ? '2' : '1.1')
    },
    'undici:request:headers': ({
      request,
      response,
    }: {
      request: UndiciRequest
      response: { statusCode: number }
    }) => {
      const span = spans.get(request)
      // Informational responses come before the one that counts.
      if (span === undefined || response.statusCode < 200) return
      settle(span)
      if (!span.isRecording()) return
      describeStatus(span, response.statusCode)
      noteAnswer(span)
    },
    'undici:request:trailers': ({ request }: { request: UndiciRequest }) => end(request),
    'undici:request:error': ({ request, error }: { request: UndiciRequest; error: unknown }) => {
      const span = spans.get(request)
      if (span === undefined) return
      if (isCollected(error)) {
        spans.delete(request)
        endWithAnswer(span)
        return
      }
      // What the caller has given up on purpose is no failure (semantic conventions for HTTP, "Status").
      if (!isAbort(error)) fail(span, error)
      end(request)
    },
  })
}

function start(tracer: Tracer, request: UndiciRequest): void {
  const active = contextApi.active()
  if (isSuppressed(active)) return
  if (
    request.method === 'CONNECT' ||
    (request.upgrade !== undefined && request.upgrade !== null && request.upgrade !== false)
  ) {
    propagation.inject(active, request, headerSetter)
    return
  }
  const span = tracer.startSpan(
    methodName(request.method),
    { kind: SpanKind.CLIENT, attributes: clientAttributes(request) },
    active,
  )
  spans.set(request, span)
  unanswered.add(span.spanContext().spanId)
  propagation.inject(contextWithSpan(active, span), request, headerSetter)
}

function clientAttributes({ origin, method, path }: UndiciRequest): Attributes {
  const attributes: Attributes = {}
  setMethod(attributes, method)
  const base = origin === undefined ? '' : String(origin).replace(/\/$/, '')
  const url = targetUrl(method, base, path)
  if (url !== undefined) attributes['url.full'] = redactUrl(url)
  const { host, port } = splitHostPort(base.slice(base.lastIndexOf('/') + 1).replace(/^.*@/, ''))
  attributes['server.address'] = host
  attributes['server.port'] = port ?? (base.startsWith('https:') ? 443 : 80)
  return attributes
}

function end(request: UndiciRequest): void {
  const span = spans.get(request)
  if (span === undefined) return
  spans.delete(request)
  settle(span)
  forgetAnswer(span)
  span.end()
}

/** What `fetch` cancels the body of a Response with that nobody has any longer. */
function isCollected(error: unknown): boolean {
  const reason = typeof error === 'object' ? (error as { message?: unknown } | null)?.message : error
  return reason === 'Response object has been garbage collected'
}
