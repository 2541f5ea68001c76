import type { Signal } from './otlp.js'
import type { Variables } from './variables.js'

/** Where a signal is sent. */
export interface OtlpEndpoint {
  /**
   * The full URL for the signal; over gRPC that of the server, with the path of the method. It can hold credentials: show it by
   * `shownEndpoint` only.
   */
  readonly url: string
  /** Path of a Unix socket to connect to, in the place of the URL's host; it begins with "\0" where it is abstract. */
  readonly socketPath: string | undefined
}

const HTTP_DEFAULT = 'http://localhost:4318'
const GRPC_DEFAULT = 'http://localhost:4317'
/** The port of OTLP over gRPC, where a name has none. */
const GRPC_PORT = 4317

/** The method of each signal (opentelemetry-proto, `*_service.proto`). */
const METHODS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
}

/** A URL of HTTP; undefined where a text is none. */
export function webUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

/** gRPC's names for Unix sockets (gRPC, "Name Resolution"): `unix:path`, `unix:///absolute`, `unix-abstract:name`. */
function socketOf(text: string): string | undefined {
  const [, kind, slashes, path] = /^unix(-abstract)?:(\/\/(?=\/))?(.+)$/.exec(text) ?? []
  if (path === undefined) return undefined
  if (kind !== undefined) return slashes === undefined ? `\0${path}` : undefined
  return path
}

/** OTLP exporter specification, "Endpoint URLs for OTLP/HTTP": the signal's own URL as is, the common one completed. */
export function httpEndpoint(
  variables: Variables,
  signal: Signal,
  own: string,
  common: string,
): OtlpEndpoint {
  const read = (name: string): URL | string | undefined => {
    const text = variables.text(name)
    if (text === undefined) return undefined
    const target = webUrl(text) ?? socketOf(text)
    if (target === undefined)
      variables.invalid(
        name,
        'the value is no URL that begins with "http://", "https://" or "unix:"; it is ignored',
      )
    return target
  }
  const complete = read(own)
  if (complete instanceof URL) return { url: complete.href, socketPath: undefined }
  const base = complete ?? read(common) ?? new URL(HTTP_DEFAULT)
  if (typeof base === 'string') return { url: `http://localhost/v1/${signal}`, socketPath: base }
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/${signal}`
  return { url: base.href, socketPath: undefined }
}

/**
 * OTLP exporter specification, "Endpoint (OTLP/gRPC)": a URL, whose scheme says whether TLS is spoken, or a name as gRPC takes it, for which
 * `isInsecure` says it.
 */
export function grpcEndpoint(
  variables: Variables,
  signal: Signal,
  names: readonly string[],
  isInsecure: boolean,
): OtlpEndpoint {
  for (const name of names) {
    const text = variables.text(name)
    if (text === undefined) continue
    const socketPath = socketOf(text)
    if (socketPath !== undefined) return { url: `http://localhost${METHODS[signal]}`, socketPath }
    const url = webUrl(text) ?? named(text, isInsecure)
    if (url === undefined) {
      variables.invalid(name, 'the value is no URL, "host:port" or "unix:" path; it is ignored')
      continue
    }
    if (url.pathname !== '/' || url.search !== '')
      variables.invalid(name, 'gRPC has no paths: that of the URL is left out')
    return { url: methodUrl(url, signal), socketPath: undefined }
  }
  return { url: methodUrl(new URL(GRPC_DEFAULT), signal), socketPath: undefined }
}

function methodUrl(url: URL, signal: Signal): string {
  url.pathname = METHODS[signal]
  url.search = ''
  url.hash = ''
  return url.href
}

/** `host`, `host:port` and `dns:` before it. */
function named(text: string, isInsecure: boolean): URL | undefined {
  const name = text.replace(/^dns:(?:\/\/[^/]*\/)?/, '')
  if (!/^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(name)) return undefined
  const full = `${isInsecure ? 'http' : 'https'}://${/:\d+$/.test(name) ? name : `${name}:${GRPC_PORT}`}`
  return URL.canParse(full) ? new URL(full) : undefined
}
