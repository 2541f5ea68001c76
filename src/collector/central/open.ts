import type { CentralConfig } from '../../config/central.js'
import type { Config } from '../../config/config.js'
import { disabledNames } from '../../config/disabled.js'
import type { Settings } from '../../config/live.js'
import { redactUrl } from '../../config/otlp.js'
import { type ResourceAttributes, resourceAttributes } from '../../config/resource.js'
import type { Environment } from '../../config/variables.js'
import { monotonicNow } from '../../core/clock.js'
import type { ExportLog } from '../../export/exporter.js'
import type { AppliedSettings } from '../applied-settings.js'
import { AgentConfigSource } from './agent-config.js'
import { CentralConfiguration } from './central-configuration.js'
import { OpampSource } from './opamp.js'
import type { Look, Source } from './source.js'

/** Attributes by which a server tells who asks. */
const IDENTIFYING = [
  'service.name',
  'service.namespace',
  'service.version',
  'service.instance.id',
  'deployment.environment.name',
  'telemetry.sdk.name',
]

function sourceOf(central: CentralConfig, attributes: ResourceAttributes): Source {
  const of = (name: string): string | undefined =>
    attributes[name] === undefined ? undefined : String(attributes[name])
  // The name of the environment before the semantic conventions were stable.
  const environment = of('deployment.environment.name') ?? of('deployment.environment')
  if (central.form === 'agents')
    return new AgentConfigSource(central, { name: of('service.name') ?? '', environment })
  const description: Record<string, string> = {}
  for (const name of IDENTIFYING) {
    const value = name === 'deployment.environment.name' ? environment : of(name)
    if (value !== undefined) description[name] = value
  }
  return new OpampSource(central, description)
}

/** Begins to ask the server that the configuration names; undefined where it names none. */
export function openCentral(
  config: Config,
  env: Environment,
  attributes: ResourceAttributes,
  applied: AppliedSettings,
  log: ExportLog,
): CentralConfiguration | undefined {
  const { central } = config
  if (central === undefined) return undefined
  const source = sourceOf(central, attributes)
  return new CentralConfiguration({
    source,
    server: redactUrl(central.url),
    applied,
    local: localSettings(config, env),
    log,
  })
}

/** One look at the server of a configuration that names one, for who only wants to know. */
export async function lookOnce(config: Config): Promise<Look> {
  const source = sourceOf(config.central!, resourceAttributes(config))
  const look = await source.look()
  await source.close(monotonicNow() + 1000)
  return look
}

/** What the environment says of the settings that can change. */
function localSettings(config: Config, env: Environment): Settings {
  return {
    sampling_rate: config.sampler.ratio,
    recording: true,
    send_traces: config.exporters.length > 0,
    send_metrics: config.metrics?.otlp !== undefined,
    send_logs: config.logs !== undefined,
    logging_level: config.logLevel,
    deactivate_all_instrumentations: false,
    deactivate_instrumentations: disabledNames(env).filter((name) => name !== ''),
    transaction_ignore_urls: config.ignoreUrls,
    transaction_name_groups: [],
    stack_trace_limit: -1,
    capture_statement: true,
    ...(config.central?.form === 'opamp' ? { opamp_polling_interval: config.central.interval } : {}),
  }
}
