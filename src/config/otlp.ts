import { grpcEndpoint, httpEndpoint, type OtlpEndpoint } from './otlp-endpoint.js'
import { parsePairs } from './pairs.js'
import type { Variables } from './variables.js'

/** Where and how one signal is sent: the `OTEL_EXPORTER_OTLP_*` variables, those with the signal's name first. */
export interface OtlpConfig extends OtlpEndpoint {
  readonly protocol: OtlpProtocol
  readonly signal: Signal
  /** By lower-case name. Values are secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds for one request. */
  readonly timeout: number
  readonly compression: 'gzip' | 'none'
  /** Path of a PEM file with the certificates to trust instead of the system's. */
  readonly certificate: string | undefined
  /** Path of a PEM file with the client's private key. */
  readonly clientKey: string | undefined
  /** Path of a PEM file with the client's certificate chain. */
  readonly clientCertificate: string | undefined
}

const TIMEOUT = 10_000

/** RFC 9110: field names are tokens; values hold visible characters, blanks, tabs and obsolete text. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const

export type OtlpProtocol = (typeof PROTOCOLS)[number]

/** What goes over OTLP each on its own way. */
export type Signal = 'traces' | 'metrics' | 'logs'

const variable = (signal: Signal, name: string): [string, string] => [
  `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`,
  `OTEL_EXPORTER_OTLP_${name}`,
]

/** A URL without its credentials, query and fragment: as it may be shown. Text that is no URL becomes "(not a URL)". */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)'
  const { protocol, host, pathname, username, password } = new URL(url)
  return `${protocol}//${username === '' && password === '' ? '' : '***@'}${host}${pathname}`
}

/** An endpoint as it may be shown. */
export function shownEndpoint({ protocol, url, socketPath }: OtlpConfig): string {
  if (socketPath !== undefined) return `unix:${socketPath.replace('\0', '@')}`
  if (protocol !== 'grpc') return redactUrl(url)
  return `${redactUrl(new URL('/', url).href).replace(/\/$/, '')} (gRPC)`
}

/** Headers by their names in lower case, from lists of variables; members of a later one win. Reads into `variables`, which gathers the warnings. */
export function readHeaders(variables: Variables, ...names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const name of names) {
    const { entries, malformed } = parsePairs(variables.text(name) ?? '')
    let bad = malformed
    for (const [key, value] of entries) {
      const lower = key.toLowerCase()
      if (HEADER_NAME.test(lower) && HEADER_VALUE.test(value)) headers[lower] = value
      else bad++
    }
    if (bad > 0) {
      variables.invalid(name, `${bad} ${bad === 1 ? 'member is' : 'members are'} no "name=value"; left out`)
    }
  }
  return headers
}

function readEndpoint(variables: Variables, signal: Signal, protocol: OtlpProtocol): OtlpEndpoint {
  const names = variable(signal, 'ENDPOINT')
  if (protocol !== 'grpc') return httpEndpoint(variables, signal, ...names)
  const insecure = variables.firstSet(...variable(signal, 'INSECURE'))
  return grpcEndpoint(variables, signal, names, insecure !== undefined && variables.boolean(insecure))
}

/** Reads into `variables`, which gathers the warnings. */
export function otlpConfig(variables: Variables, signal: Signal): OtlpConfig {
  // What is invalid counts as unset: then the variable for all signals holds.
  const either = <Value>(
    name: string,
    fallback: Value,
    read: (name: string, otherwise: Value | string) => Value | undefined,
  ): Value => {
    const [own, common] = variable(signal, name)
    const otherwise = variables.text(common) === undefined ? fallback : common
    return read(own, otherwise) ?? read(common, fallback) ?? fallback
  }
  const text = (name: string) => either<string | undefined>(name, undefined, (one) => variables.text(one))
  const word = <Word extends string>(name: string, words: readonly Word[], fallback: Word) =>
    either(name, fallback, (one, otherwise) => variables.word(one, words, `${otherwise} is used`))
  const protocol = word('PROTOCOL', PROTOCOLS, 'http/protobuf')
  return {
    protocol,
    signal,
    ...readEndpoint(variables, signal, protocol),
    // Both lists count; the signal's own members win, as with OpenTelemetry's own exporters.
    headers: readHeaders(variables, ...variable(signal, 'HEADERS').reverse()),
    timeout: either('TIMEOUT', TIMEOUT, (one, otherwise) => variables.timeout(one, otherwise)),
    compression: word('COMPRESSION', ['gzip', 'none'], 'none'),
    certificate: text('CERTIFICATE'),
    clientKey: text('CLIENT_KEY'),
    clientCertificate: text('CLIENT_CERTIFICATE'),
  }
}
