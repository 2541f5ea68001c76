import { type Config, readConfig } from '../../config/config.js'
import { shownEndpoint } from '../../config/otlp.js'
import { unknownVariables } from '../../config/unknown.js'
import type { Answer } from '../../export/client.js'
import { failure } from '../../export/otlp-answer.js'
import { otlpClient } from '../../export/otlp-client.js'
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
  const shown = shownEndpoint(otlp)
  const client = otlpClient(otlp)
  try {
    // A request without spans is complete: the empty message.
    const body = await client.prepare(new Uint8Array(0))
    const result = await client.send(body, { timeout: PATIENCE, signal: new AbortController().signal })
    if (result.answer?.verdict === 'taken') return ok(`${shown} takes spans`)
    if (result.answer !== undefined)
      return problem(`${shown} answers ${result.answer.words}: ${adviceFor(result.answer)}`)
    const why = result.timedOut ? `no answer in ${PATIENCE / 1000} seconds` : failure(result)[1]
    if (configured) return problem(`${shown} cannot be reached: ${why}`)
    return note(
      `OTEL_EXPORTER_OTLP_ENDPOINT is not set, and nobody listens at ${shown}. For a viewer there: threadspan view`,
    )
  } finally {
    client.close()
  }
}

function adviceFor({ words }: Answer): string {
  if (/ (?:401|403|UNAUTHENTICATED|PERMISSION_DENIED)/.test(words))
    return 'OTEL_EXPORTER_OTLP_HEADERS must hold what lets us in'
  if (/ (?:404|UNIMPLEMENTED)/.test(words))
    return 'is it an endpoint of OTLP? Over HTTP, the variable without _TRACES_ takes the URL before /v1/traces'
  return 'it does not take spans now'
}
