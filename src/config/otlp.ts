import { parsePairs } from './pairs.js'
import type { Variables } from './variables.js'

/** Where and how one signal is sent: the `OTEL_EXPORTER_OTLP_*` variables, those with the signal's name first. */
export interface OtlpConfig {
  /** The full URL for the signal. It can hold credentials: show it by `redactUrl` only. */
  readonly url: string
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

const ENDPOINT = 'http://localhost:4318'
const TIMEOUT = 10_000

/** RFC 9110: field names are tokens; values hold visible characters, blanks, tabs and obsolete text. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

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

function httpUrl(variables: Variables, name: string): URL | undefined {
  const text = variables.text(name)
  if (text === undefined) return undefined
  if (URL.canParse(text)) {
    const url = new URL(text)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url
  }
  variables.invalid(name, 'the value is no URL that begins with "http://" or "https://"; it is ignored')
  return undefined
}

/** OTLP exporter specification, "Endpoint URLs for OTLP/HTTP": the signal's own URL as is, the common one completed. */
function readUrl(variables: Variables, signal: Signal): string {
  const [own, common] = variable(signal, 'ENDPOINT')
  const complete = httpUrl(variables, own)
  if (complete !== undefined) return complete.href
  const base = httpUrl(variables, common) ?? new URL(ENDPOINT)
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/${signal}`
  return base.href
}

function readHeaders(variables: Variables, signal: Signal): Record<string, string> {
  // Both lists count; the signal's own members win, as with OpenTelemetry's own exporters.
  const headers: Record<string, string> = Object.create(null)
  for (const name of variable(signal, 'HEADERS').reverse()) {
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

function checkProtocol(variables: Variables, signal: Signal): void {
  const name = variables.firstSet(...variable(signal, 'PROTOCOL'))
  if (name === undefined) return
  const protocol = variables.word(name, ['http/protobuf', 'http/json', 'grpc'], 'http/protobuf is used')
  // Every OTLP/HTTP server has to take protobuf, and what is sent already is protobuf: JSON would only cost.
  if (protocol === 'http/json') {
    variables.warn(
      'THREADSPAN_ENV_UNSUPPORTED',
      name,
      '"http/json" is not supported; http/protobuf is used, on the same port and path',
    )
  } else if (protocol === 'grpc') {
    variables.warn(
      'THREADSPAN_ENV_UNSUPPORTED',
      name,
      '"grpc" is not supported; http/protobuf is used, for which servers mostly listen on port 4318, not 4317',
    )
  }
}

/** Reads into `variables`, which gathers the warnings. */
export function otlpConfig(variables: Variables, signal: Signal): OtlpConfig {
  checkProtocol(variables, signal)
  // What is invalid counts as unset: then the variable for all signals holds.
  const either = <Value>(name: string, read: (name: string) => Value | undefined): Value | undefined => {
    const [own, common] = variable(signal, name)
    return read(own) ?? read(common)
  }
  const text = (name: string): string | undefined => variables.text(name)
  return {
    url: readUrl(variables, signal),
    headers: readHeaders(variables, signal),
    timeout: either('TIMEOUT', (name) => variables.timeout(name, TIMEOUT)) ?? TIMEOUT,
    compression: either('COMPRESSION', (name) => variables.word(name, ['gzip', 'none'], 'ignored')) ?? 'none',
    certificate: either('CERTIFICATE', text),
    clientKey: either('CLIENT_KEY', text),
    clientCertificate: either('CLIENT_CERTIFICATE', text),
  }
}
