import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api'
import { recordError } from '../context/exception.js'
import { errorType } from './error-type.js'

/**
 * What client and server spans of HTTP have in common, by OpenTelemetry's semantic conventions for HTTP spans (stable).
 */

/** The methods that the conventions call known: RFC 9110, PATCH (RFC 5789) and QUERY. */
const KNOWN_METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]

let known: ReadonlySet<string> = new Set(KNOWN_METHODS)

/**
 * Replaces the known methods, as `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` asks for.
 *
 * @param methods case-sensitive; undefined or empty for those of the conventions.
 */
export function setKnownMethods(methods: readonly string[] | undefined): void {
  known = new Set(methods === undefined || methods.length === 0 ? KNOWN_METHODS : methods)
}

/** The name of the span of a request whose route is not known: the method, or `HTTP` for one that is not known. */
export function methodName(method: string): string {
  return known.has(method) ? method : 'HTTP'
}

/** Sets `http.request.method`, with `_OTHER` and `http.request.method_original` for a method that is not known. */
export function setMethod(attributes: Attributes, method: string): void {
  if (known.has(method)) {
    attributes['http.request.method'] = method
  } else {
    attributes['http.request.method'] = '_OTHER'
    attributes['http.request.method_original'] = method
  }
}

/** Marks `span` as failed by `error`, with its system error's or library's code as `error.type` where it has one. */
export function fail(span: Span, error: unknown): void {
  recordError(span, error)
  span.setAttribute('error.type', errorType(error))
}

/** Whether an error says that the caller has given the request up (an AbortSignal); not one of a timeout. */
export function isAbort(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown }
  if ((cause as { name?: unknown } | null | undefined)?.name === 'TimeoutError') return false
  return name === 'AbortError' || code === 'ABORT_ERR' || code === 'UND_ERR_ABORTED'
}

/** Marks `span` as ended before its response was complete. */
export function failAborted(span: Span): void {
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: 'The connection was closed before the response was complete',
  })
  span.setAttribute('error.type', 'aborted')
}

/** Tells a CLIENT span what it was answered: every status of 400 and above is an error of the client's. */
export function describeStatus(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status)
  if (status < 400) return
  span.setAttribute('error.type', String(status))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** The other end of a connection, as `net.Socket` tells it: nothing where it is gone, or no connection of TCP. */
export interface Peer {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** Tells a CLIENT span whom it is connected with. */
export function describePeer(span: Span, peer: Peer | null | undefined): void {
  if (peer?.remoteAddress === undefined || peer.remotePort === undefined) return
  span.setAttribute('network.peer.address', peer.remoteAddress)
  span.setAttribute('network.peer.port', peer.remotePort)
}

/**
 * The URL that a request is for (RFC 9112, section 3.3), undefined for CONNECT, whose target is no resource but a host and a port.
 *
 * @param origin scheme and authority, without a slash at the end.
 * @param target what the request line says: a path, `*`, or a whole URL as proxies are sent it.
 */
export function targetUrl(method: string, origin: string, target: string): string | undefined {
  if (method === 'CONNECT') return undefined
  if (target.startsWith('/')) return `${origin}${target}`
  if (target === '*') return origin
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(target)) return target
  return `${origin}/${target}`
}

/** A `Host` header's value, or the authority of a URL, in its parts. */
export interface HostPort {
  /** A name or an address; IPv6 without its brackets. */
  readonly host: string
  readonly port: number | undefined
}

/** The last one that was split: requests of a connection, and mostly of a server, name the same. */
let lastAuthority = ''
let lastParts: HostPort = { host: '', port: undefined }

/** Splits `host[:port]`. Whatever is no port is left out. */
export function splitHostPort(authority: string): HostPort {
  if (authority !== lastAuthority) {
    lastParts = split(authority)
    lastAuthority = authority
  }
  return lastParts
}

function split(authority: string): HostPort {
  const bracket = authority.startsWith('[') ? authority.indexOf(']') : -1
  if (bracket !== -1) {
    return { host: authority.slice(1, bracket), port: portOf(authority.slice(bracket + 2)) }
  }
  const colon = authority.indexOf(':')
  // More than one colon: an IPv6 address that nobody put into brackets.
  if (colon === -1 || authority.indexOf(':', colon + 1) !== -1) return { host: authority, port: undefined }
  return { host: authority.slice(0, colon), port: portOf(authority.slice(colon + 1)) }
}

function portOf(text: string): number | undefined {
  const port = Number(text)
  return text !== '' && Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined
}
