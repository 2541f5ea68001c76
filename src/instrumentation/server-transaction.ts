import {
  type Attributes,
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api'
import { recordError } from '../context/exception.js'
import { contextOfLocalRoot, currentTransaction, transactionOf } from '../context/transaction.js'
import { errorType } from './error-type.js'
import { fail, failAborted, methodName } from './http-semantics.js'

/** Headers as Node gives them: lower-case names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A request that an HTTP server is at work on. */
export interface ServerRequest {
  readonly method: string
  /** The SERVER span, which is the transaction. */
  readonly span: Span
  /** The span's context, in which the request is handled. */
  readonly context: Context
  /** The template of the matched route (`/users/:id`), once a framework told it. */
  route: string | undefined
  /** The framework's own route object, as a sign of which one `route` is of. */
  matched?: unknown
  /** What the handler failed with; it is in the span already. */
  error: unknown
  /** What a handler failed with on the way. It is an error of the service only if the answer is one (status 500 and above). */
  thrown: unknown
  /** The template of the routers that the request is in: `/orgs/:org`. */
  mount: string
  /** What the span was named here last: any other name is the application's own. */
  name: string
}

/** How a response came to its end. */
export interface ResponseEnd {
  /** Undefined where no headers were sent. */
  readonly status: number | undefined
  /** Whether all of it was sent. */
  readonly isFinished: boolean
  /** What the response failed with. */
  readonly error?: unknown
  /** The response was not finished, and it was the client that has left: no failure of the service. */
  readonly isLeft?: boolean
}

const headerGetter: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key.toLowerCase()],
}

/** The context that the caller's headers tell of. Not on top of the active one: a connection has that of whoever called `listen`. */
export function arrivedContext(headers: Headers): Context {
  return propagation.extract(ROOT_CONTEXT, headers, headerGetter)
}

/** Starts the transaction of a request. */
export function startTransaction(
  tracer: Tracer,
  method: string,
  headers: Headers,
  attributes: Attributes,
): ServerRequest {
  const parent = arrivedContext(headers)
  const name = methodName(method)
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  const request: ServerRequest = {
    method,
    span,
    context: contextOfLocalRoot(parent, span, name),
    route: undefined,
    error: undefined,
    thrown: undefined,
    mount: '',
    name,
  }
  bySpan?.set(span, request)
  return request
}

/** Requests by their spans, where somebody looks for them so: an entry for each is not free. */
let bySpan: WeakMap<Span, ServerRequest> | undefined

/** Requests that begin from now on can be found by {@link currentRequest}. */
export function keepCurrent(): void {
  bySpan ??= new WeakMap()
}

/** The request that is current here, where it is kept. */
export function currentRequest(): ServerRequest | undefined {
  const transaction = currentTransaction()
  return transaction?.local === true ? bySpan?.get(transaction.span) : undefined
}

/**
 * Names the transaction by its route: `GET /users/:id`, as the semantic conventions have it. A name that the application gave stays;
 * to be called before the handler is, so that what the handler says comes last.
 */
export function setRoute(handled: ServerRequest, method: string, route: string): void {
  if (handled.route === route) return
  const { span } = handled
  const own = attributeOf(span, 'http.route')
  const isOwn = own !== undefined && own !== handled.route
  handled.route = route
  if (!isOwn) span.setAttribute('http.route', route)
  setRequestName(handled, `${methodName(method)} ${isOwn ? own : route}`)
}

/** Names the transaction, where it has not been named by the application. */
export function setRequestName(handled: ServerRequest, name: string): void {
  const { span } = handled
  const { name: present } = span as { name?: unknown }
  if (typeof present === 'string' && present !== handled.name) return
  handled.name = name
  transactionOf(span).setName(name)
}

/** What spans, ours and those of an SDK, let one read. */
interface ReadableSpan {
  readonly attributes?: readonly unknown[] | Readonly<Record<string, unknown>>
  /** Ours. */
  readonly statusCode?: unknown
  readonly statusMessage?: unknown
  readonly status?: { readonly code?: unknown; readonly message?: unknown }
}

function attributeOf(span: Span, key: string): unknown {
  const { attributes } = span as ReadableSpan
  if (!Array.isArray(attributes)) return (attributes as Record<string, unknown> | undefined)?.[key]
  for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === key) return attributes[i + 1]
  return undefined
}

/** The message of a failure that the application has told of itself. */
function ownMessageOf(span: Span): string | undefined {
  const { statusCode, statusMessage, status } = span as ReadableSpan
  if ((statusCode ?? status?.code) !== SpanStatusCode.ERROR) return undefined
  const message = statusMessage ?? status?.message
  return typeof message === 'string' && message !== '' ? message : undefined
}

/** Ends the transaction of a request, by what its response came to. What the application has said of a failure itself stays. */
export function endTransaction(open: ServerRequest, end: ResponseEnd): void {
  const { span } = open
  const message = ownMessageOf(span)
  const type = attributeOf(span, 'error.type')
  describeEnd(open, end)
  if (message !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message })
  if (typeof type === 'string') span.setAttribute('error.type', type)
  span.end()
}

function describeEnd(open: ServerRequest, end: ResponseEnd): void {
  const { span } = open
  const { status, isFinished, isLeft = false } = end
  // A handler that fails when the headers are out has its framework close the connection.
  const failure = end.error ?? (isLeft ? undefined : open.thrown)
  const isServerError = isFinished && status !== undefined && status >= 500
  if (isServerError && open.error === undefined && open.thrown !== undefined) {
    open.error = open.thrown
    recordError(span, open.error)
  }
  const { error } = open
  if (status !== undefined) span.setAttribute('http.response.status_code', status)
  if (!isFinished) {
    if (failure) fail(span, failure)
    else if (!isLeft) failAborted(span)
  } else if (isServerError) {
    span.setAttribute('error.type', error === undefined ? String(status) : errorType(error))
    span.setStatus(
      error instanceof Error
        ? { code: SpanStatusCode.ERROR, message: error.message }
        : { code: SpanStatusCode.ERROR },
    )
  }
}

/** The requests that are no message of `node:http`, by what holds them together: their stream. */
const byStream = new WeakMap<object, ServerRequest>()

/** @param stream of HTTP/2. */
export function keepByStream(stream: object, request: ServerRequest): void {
  byStream.set(stream, request)
}

/** The request on a stream, while it is at work. */
export function requestOnStream(stream: unknown): ServerRequest | undefined {
  return typeof stream === 'object' && stream !== null ? byStream.get(stream) : undefined
}

/** The response has ended. */
export function forgetStream(stream: object): void {
  byStream.delete(stream)
}
