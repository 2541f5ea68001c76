import { lookOnce } from '../../collector/central/open.js'
import { readConfig } from '../../config/config.js'
import { redactUrl } from '../../config/otlp.js'
import { readSettings } from '../../config/settings.js'
import { type Finding, note, ok, problem, shownName } from './finding.js'

/** What a server of central configuration has for a program with this environment; undefined where none is named. */
export async function checkCentral(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { config } = readConfig(env)
  if (config.central === undefined) return []
  const server = redactUrl(config.central.url)
  const look = await lookOnce(config)
  if (look.kind === 'failed') return [problem(`No central configuration from ${server}: ${look.why}`)]
  const text = look.kind === 'other' ? (look.text ?? '{}') : '{}'
  try {
    const { settings, problems } = readSettings(JSON.parse(text))
    const told = Object.entries(settings).map(([name, value]) => `${name} ${shownName(String(value))}`)
    return [
      ok(
        `Central configuration from ${server}: ${told.length === 0 ? 'it changes nothing' : told.join(', ')}`,
      ),
      ...problems.map((one) => note(`Central configuration: ${one}`)),
    ]
  } catch {
    return [problem(`Central configuration from ${server} is no JSON`)]
  }
}
