import { type Config, readConfig } from '../../config/config.js'
import { redactUrl } from '../../config/otlp.js'
import { unknownVariables } from '../../config/unknown.js'
import { type Finding, note, ok, problem } from './finding.js'

/** Milliseconds to wait for an answer. */
const PATIENCE = 5000

/** Where the spans of a program with this environment go, and whether somebody is there. */
export async function checkDestination(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { config, warnings } = readConfig(env)
  const findings = [...warnings, ...unknownVariables(env)].map(({ message, code }) =>
    note(`${message} (${code})`),
  )
  if (config.exporters.length === 0) findings.push(note('OTEL_TRACES_EXPORTER is none: spans go nowhere'))
  if (config.exporters.includes('file')) findings.push(ok(`Spans are written to ${config.file}`))
  if (config.exporters.includes('otlp')) findings.push(await checkEndpoint(config, isConfigured(env)))
  return findings
}

function isConfigured(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])
}

async function checkEndpoint({ otlp }: Config, configured: boolean): Promise<Finding> {
  const shown = redactUrl(otlp.url)
  if (otlp.certificate !== undefined || otlp.clientCertificate !== undefined) {
    return note(`Spans are sent to ${shown}, with certificates of its own: not tried here`)
  }
  try {
    // A request without spans is complete: the empty message.
    const { status } = await fetch(otlp.url, {
      method: 'POST',
      headers: { ...otlp.headers, 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(0),
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
    })
    if (status >= 200 && status < 300) return ok(`${shown} takes spans`)
    return problem(`${shown} answers ${status}: ${adviceFor(status)}`)
  } catch (error) {
    const { name, cause } = error as { name: string; cause?: { code?: string } }
    const why = name === 'TimeoutError' ? `no answer in ${PATIENCE / 1000} seconds` : (cause?.code ?? name)
    if (configured) return problem(`${shown} cannot be reached (${why})`)
    return note(
      `OTEL_EXPORTER_OTLP_ENDPOINT is not set, and nobody listens at ${shown}. For a viewer there: threadspan view`,
    )
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'OTEL_EXPORTER_OTLP_HEADERS must hold what lets us in'
  if (status === 404)
    return 'is it an OTLP/HTTP endpoint? The variable without _TRACES_ takes the URL before /v1/traces'
  return 'it does not take spans now'
}
