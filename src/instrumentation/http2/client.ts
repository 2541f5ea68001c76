import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2'
import {
  type Attributes,
  context as contextApi,
  propagation,
  type Span,
  SpanKind,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithSpan } from '../../context/context.js'
import { isBuiltinLoaded, whenBuiltinLoads } from '../../hooks/builtin-loads.js'
import { type Disable, guard, subscribe } from '../../hooks/channels.js'
import { guarded } from '../../hooks/guarded.js'
import { observeEmit } from '../../hooks/observe-emit.js'
import { replaceMethod } from '../../hooks/replace-method.js'
import { forgetAnswer, noteAnswer } from '../answered.js'
import { isFollowedCall } from '../grpc-calls.js'
import { keepHttp2Listeners } from '../http-listeners.js'
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
} from '../http-semantics.js'
import { redactUrl } from '../redact.js'
import { isSuppressed } from '../suppressed.js'
import { isCarriedByUndici } from '../undici.js'

/** Headers as `request` takes them: an object, or names and values by turns (Node 24). */
type GivenHeaders = OutgoingHttpHeaders | string[]
type Request = (
  this: ClientHttp2Session,
  ...args: [headers?: GivenHeaders, ...rest: unknown[]]
) => ClientHttp2Stream
type Connect = (this: unknown, authority: string | URL, ...rest: unknown[]) => ClientHttp2Session

/** RFC 9113, section 7. */
const NO_ERROR = 0
const CANCEL = 8

const headerSetter: TextMapSetter<GivenHeaders> = {
  set(headers, name, value) {
    if (Array.isArray(headers)) {
      const at = headers.findIndex((key, i) => i % 2 === 0 && key.toLowerCase() === name)
      if (at === -1) headers.push(name, value)
      else headers[at + 1] = value
      return
    }
    for (const key of Object.keys(headers)) if (key.toLowerCase() === name) delete headers[key]
    headers[name] = value
  },
}

/** Where each connection goes to, as it was asked for. */
const authorities = new WeakMap<ClientHttp2Session, URL>()
/** The classes whose `request` is replaced: one for each copy of Node's module, of which there is one. */
const followed = new WeakSet<object>()
/** What makes the spans; undefined while nobody wants any. */
let current: Tracer | undefined
let isWatching = false

/**
 * Makes a CLIENT span of each request on a connection of `node:http2`, and sends the context along in its headers. A request of undici on
 * such a connection is undici's: it has its span, and its headers, already.
 *
 * Node tells of a request when its headers are settled, so `connect` is replaced as the module is loaded, and by its first connection the
 * class. On Node 20 an ES module that imports `node:http2` is followed from its second connection on.
 */
export function instrumentHttp2Client(tracer: Tracer): Disable {
  current = tracer
  if (!isWatching) {
    isWatching = true
    watch()
  }
  return () => {
    if (current === tracer) current = undefined
  }
}

/** Once for a thread: what is replaced stays, and does nothing while there is no tracer. */
function watch(): void {
  const unsubscribe = subscribe({
    'net.client.socket': () => {
      if (isBuiltinLoaded('http2')) loaded()
    },
  })
  const loaded = whenBuiltinLoads('http2', 'http2.client.stream.created', () => {
    unsubscribe()
    const http2 = process.getBuiltinModule('node:http2') as unknown as { connect: Connect }
    replaceMethod<Connect>(
      http2,
      'connect',
      (original) =>
        function connect(...args) {
          const session = Reflect.apply(original, this, args)
          connected(session, args[0])
          return session
        },
    )
    process.getBuiltinModule('node:module').syncBuiltinESMExports()
  })
}

const connected = guard('http2.client connect', (session: ClientHttp2Session, authority: unknown) => {
  followRequests(Object.getPrototypeOf(session) as object)
  const url = urlOf(authority)
  if (url !== undefined) authorities.set(session, url)
})

/** Node takes anything with a URL's properties for one. */
function urlOf(authority: unknown): URL | undefined {
  if (typeof authority === 'string' || authority instanceof URL) return new URL(authority)
  const { protocol, host, hostname = host, port } = authority as Partial<URL>
  const name = hostname?.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
  if (name === undefined) return undefined
  return new URL(`${protocol ?? 'https:'}//${name}${port ? `:${port}` : ''}`)
}

function followRequests(prototype: object): void {
  if (followed.has(prototype) || !Object.hasOwn(prototype, 'request')) return
  followed.add(prototype)
  replaceMethod<Request>(
    prototype,
    'request',
    (original) =>
      function request(...args) {
        return current === undefined ? original.apply(this, args) : call(current, this, original, args)
      },
  )
}

/** A request that is about to be made. */
interface Call {
  readonly span: Span
  /** The application's headers, and those of the context. */
  readonly headers: GivenHeaders
}

function call(
  tracer: Tracer,
  session: ClientHttp2Session,
  request: Request,
  args: Parameters<Request>,
): ClientHttp2Stream {
  const [given, ...rest] = args
  const started = guarded('http2.client request', () => start(tracer, session, given))
  if (started === undefined) return request.apply(session, args)
  const { span, headers } = started
  let stream: ClientHttp2Stream
  try {
    stream = request.call(session, headers, ...rest)
  } catch (error) {
    fail(span, error)
    span.end()
    throw error
  }
  if (span.isRecording()) guarded('http2.client stream', () => follow(session, stream, span))
  return stream
}

/** @returns undefined for what is not to have a span, and for what only Node can say what is wrong with. */
function start(tracer: Tracer, session: ClientHttp2Session, given: unknown): Call | undefined {
  const active = contextApi.active()
  if (isSuppressed(active) || (typeof given !== 'object' && given !== undefined) || given === null)
    return undefined
  // With its symbols: one of them names the headers that no table of HPACK may hold (RFC 7541, section 7.1.3).
  const headers: GivenHeaders = Array.isArray(given) ? Object.assign([], given) : { ...given }
  if (isCarriedByUndici(headerOf(headers, 'traceparent'))) return undefined
  if (isFollowedCall(headerOf(headers, 'content-type'))) return undefined
  const method = String(headerOf(headers, ':method') ?? 'GET')
  const attributes = clientAttributes(authorities.get(session), headers, method)
  const span = tracer.startSpan(methodName(method), { kind: SpanKind.CLIENT, attributes }, active)
  guarded('http2.client headers', () =>
    propagation.inject(contextWithSpan(active, span), headers, headerSetter),
  )
  return { span, headers }
}

function headerOf(headers: GivenHeaders, name: string): unknown {
  if (!Array.isArray(headers)) return headers[name]
  const at = headers.findIndex((key, i) => i % 2 === 0 && key.toLowerCase() === name)
  return at === -1 ? undefined : headers[at + 1]
}

function clientAttributes(url: URL | undefined, headers: GivenHeaders, method: string): Attributes {
  const attributes: Attributes = { 'network.protocol.version': '2' }
  setMethod(attributes, method)
  const authority = headerOf(headers, ':authority') ?? url?.host
  if (typeof authority !== 'string') return attributes
  const scheme = String(headerOf(headers, ':scheme') ?? url?.protocol.slice(0, -1) ?? 'https')
  const { host, port } = splitHostPort(authority)
  attributes['server.address'] = host
  attributes['server.port'] = port ?? (scheme === 'http' ? 80 : 443)
  const full = targetUrl(method, `${scheme}://${authority}`, String(headerOf(headers, ':path') ?? '/'))
  if (full !== undefined) attributes['url.full'] = redactUrl(full)
  return attributes
}

/** Follows a request to its end: that of the response's body, or of the stream. */
function follow(session: ClientHttp2Session, stream: ClientHttp2Stream, span: Span): void {
  keepHttp2Listeners(stream)
  let isOver = false
  let isAnswered = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    forgetAnswer(span)
    span.end()
  }
  const seen = guard('http2.client event', (event: string | symbol, argument: unknown) => {
    if (isOver) return
    if (event === 'response') {
      isAnswered = true
      describeResponse(session, span, argument as IncomingHttpHeaders)
      noteAnswer(span)
    } else if (event === 'end' && isAnswered) end()
    else if (event === 'error') {
      if (!isAbort(argument)) failStream(span, argument)
      end()
    } else if (event === 'close') {
      // A stream that its caller has cancelled is no failure (semantic conventions for HTTP, "Status").
      const { rstCode } = stream
      if (rstCode !== CANCEL && (rstCode !== NO_ERROR || !isAnswered)) failAborted(span)
      end()
    }
  })
  observeEmit(stream, (event, argument) => seen(event, argument))
}

/** A stream that its session took along says why in its cause alone. */
function failStream(span: Span, error: unknown): void {
  fail(span, error)
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  if (code === 'ERR_HTTP2_STREAM_CANCEL' && typeof cause?.code === 'string') {
    span.setAttribute('error.type', cause.code)
  }
}

function describeResponse(session: ClientHttp2Session, span: Span, headers: IncomingHttpHeaders): void {
  if (!session.destroyed) describePeer(span, session.socket)
  describeStatus(span, Number(headers[':status']))
}
