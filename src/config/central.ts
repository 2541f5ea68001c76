import { readHeaders } from './otlp.js'
import { webUrl } from './otlp-endpoint.js'
import type { Variables } from './variables.js'

/** Where settings come from, beside the environment: a server of central configuration. */
export interface CentralConfig {
  /** `agents`: APM Server's `/config/v1/agents`. `opamp`: OpAMP over HTTP. */
  readonly form: 'agents' | 'opamp'
  /** It can hold credentials: show it by `redactUrl` only. */
  readonly url: string
  /** By lower-case name. Values are secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds between two looks; a server of APM Server's form says it itself. */
  readonly interval: number
  /** Paths of PEM files: certificates to trust instead of the system's, the client's private key, and its chain. */
  readonly certificate: string | undefined
  readonly clientKey: string | undefined
  readonly clientCertificate: string | undefined
}

const AGENTS_PATH = '/config/v1/agents'
const OPAMP_PATH = '/v1/opamp'
const OPAMP = 'ELASTIC_OTEL_OPAMP_ENDPOINT'
const OWN = 'THREADSPAN_CENTRAL_CONFIG'
const INTERVAL = 'ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL'

/** Milliseconds that APM agents wait where the server does not say, and OpAMP clients. */
const AGENTS_INTERVAL = 300_000
const OPAMP_INTERVAL = 30_000

function urlOf(variables: Variables, name: string, text: string): URL | undefined {
  const url = webUrl(text)
  const off = name === OWN ? ', nor "off"' : ''
  if (url === undefined)
    variables.invalid(
      name,
      `the value is no URL that begins with "http://" or "https://"${off}; it is ignored`,
    )
  return url
}

/** Reads into `variables`, which gathers the warnings. Undefined where settings come from the environment alone. */
export function centralConfig(variables: Variables): CentralConfig | undefined {
  const own = variables.text(OWN)
  const opamp = variables.text(OPAMP)
  const files = {
    certificate: variables.text('ELASTIC_OTEL_OPAMP_CERTIFICATE'),
    clientKey: variables.text('ELASTIC_OTEL_OPAMP_CLIENT_KEY'),
    clientCertificate: variables.text('ELASTIC_OTEL_OPAMP_CLIENT_CERTIFICATE'),
  }
  const interval = variables.integer(INTERVAL, OPAMP_INTERVAL, 100, 86_400_000) ?? OPAMP_INTERVAL
  const ownHeaders = readHeaders(variables, 'THREADSPAN_CENTRAL_CONFIG_HEADERS')
  const opampHeaders = readHeaders(variables, 'ELASTIC_OTEL_OPAMP_HEADERS')
  if (own?.toLowerCase() === 'off') return undefined
  if (own !== undefined) {
    if (opamp !== undefined) variables.invalid(OPAMP, `${OWN} is set too, and is what counts`)
    const url = urlOf(variables, OWN, own)
    if (url === undefined) return undefined
    const base = url.pathname.replace(/\/+$/, '')
    if (!base.endsWith(AGENTS_PATH)) url.pathname = base + AGENTS_PATH
    const none = { certificate: undefined, clientKey: undefined, clientCertificate: undefined }
    return { form: 'agents', url: url.href, headers: ownHeaders, interval: AGENTS_INTERVAL, ...none }
  }
  if (opamp === undefined) return undefined
  // As in Elastic's own distribution, a host and a port will do.
  const url = urlOf(variables, OPAMP, /^https?:/i.test(opamp) ? opamp : `http://${opamp}`)
  if (url === undefined) return undefined
  if (url.pathname === '/') url.pathname = OPAMP_PATH
  return { form: 'opamp', url: url.href, headers: opampHeaders, interval, ...files }
}
