import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Attributes } from '@opentelemetry/api'
import { setMethod, splitHostPort } from './http-semantics.js'
import { redactQuery } from './redact.js'

/**
 * The attributes that a SERVER span starts with, so that samplers see them: OpenTelemetry's semantic conventions for HTTP
 * server spans. What a reverse proxy tells of the original request (`Forwarded`, RFC 7239, and `X-Forwarded-*`) comes
 * first, as they ask for.
 */
export function serverAttributes(
  request: Pick<IncomingMessage, 'headers' | 'method' | 'url' | 'httpVersion'>,
  socket: Socket,
): Attributes {
  const headers = request.headers
  const forwarded = headers['forwarded'] === undefined ? undefined : firstForwarded(headers['forwarded'])
  const attributes: Attributes = {}
  setMethod(attributes, request.method ?? '')
  setUrl(attributes, request.url ?? '/')
  attributes['url.scheme'] = schemeOf(forwarded?.proto ?? first(headers['x-forwarded-proto']), socket)
  attributes['network.protocol.version'] = request.httpVersion
  const authority = forwarded?.host ?? first(headers['x-forwarded-host']) ?? headers.host
  if (authority !== undefined && authority !== '') {
    const { host, port } = splitHostPort(authority)
    attributes['server.address'] = host
    if (port !== undefined) attributes['server.port'] = port
  }
  const peer = socket.remoteAddress
  if (peer !== undefined) {
    attributes['network.peer.address'] = peer
    if (socket.remotePort !== undefined) attributes['network.peer.port'] = socket.remotePort
  }
  const client = clientOf(forwarded?.for ?? first(headers['x-forwarded-for'])) ?? peer
  if (client !== undefined) attributes['client.address'] = client
  const agent = headers['user-agent']
  if (agent !== undefined) attributes['user_agent.original'] = agent
  return attributes
}

function setUrl(attributes: Attributes, url: string): void {
  // The absolute form that proxies are sent (RFC 9112, section 3.2.2) has the path after the authority.
  const scheme = url.startsWith('/') ? -1 : url.indexOf('://')
  const slash = scheme === -1 ? 0 : url.indexOf('/', scheme + 3)
  const target = slash === -1 ? '/' : url.slice(slash)
  const mark = target.indexOf('?')
  attributes['url.path'] = mark === -1 ? target : target.slice(0, mark)
  if (mark !== -1 && mark < target.length - 1) attributes['url.query'] = redactQuery(target.slice(mark + 1))
}

function schemeOf(told: string | undefined, socket: Socket): string {
  const scheme = told?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return scheme
  return (socket as Socket & { encrypted?: boolean }).encrypted === true ? 'https' : 'http'
}

/** The first of a list in a header: what the proxy nearest to the client wrote. */
function first(header: string | string[] | undefined): string | undefined {
  const value = typeof header === 'string' ? header : header?.[0]
  if (value === undefined) return undefined
  const comma = value.indexOf(',')
  return (comma === -1 ? value : value.slice(0, comma)).trim() || undefined
}

/** An address from a header. `unknown` and obfuscated names (RFC 7239, section 6) say nothing. */
function clientOf(node: string | undefined): string | undefined {
  if (node === undefined || node === 'unknown' || node.startsWith('_')) return undefined
  return splitHostPort(node).host || undefined
}

interface Forwarded {
  for?: string
  host?: string
  proto?: string
}

const FORWARDED_PAIR = /(?:^|;)\s*(for|host|proto)=(?:"([^"]*)"|([^";,\s]*))/gi

function firstForwarded(header: string): Forwarded {
  const forwarded: Forwarded = {}
  for (const [, name, quoted, token] of (first(header) ?? '').matchAll(FORWARDED_PAIR)) {
    forwarded[name!.toLowerCase() as keyof Forwarded] ??= quoted ?? token ?? ''
  }
  return forwarded
}
