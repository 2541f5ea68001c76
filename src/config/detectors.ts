import type { Variables } from './variables.js'

/** OpenTelemetry's packages that ask a cloud where a program runs, by the names that `OTEL_NODE_RESOURCE_DETECTORS` has for them. */
export const DETECTOR_PACKAGES = {
  alibaba: '@opentelemetry/resource-detector-alibaba-cloud',
  aws: '@opentelemetry/resource-detector-aws',
  azure: '@opentelemetry/resource-detector-azure',
  gcp: '@opentelemetry/resource-detector-gcp',
} as const

export type DetectorName = keyof typeof DETECTOR_PACKAGES

const CLOUDS = Object.keys(DETECTOR_PACKAGES) as DetectorName[]
/** What these find is found in any case. */
const OURS = ['container', 'env', 'host', 'os', 'process', 'serviceinstance'] as const

/** Which detectors run beside what is always found. */
export interface DetectorsConfig {
  readonly names: readonly DetectorName[]
  /** `all`: those that are installed. Otherwise it is told where one is not. */
  readonly installedOnly: boolean
}

/** `OTEL_NODE_RESOURCE_DETECTORS`, as OpenTelemetry's auto-instrumentations read it; where it is not set, no package is looked for. */
export function detectorsConfig(variables: Variables): DetectorsConfig {
  const words = ['all', ...OURS, ...CLOUDS] as const
  const named = variables.words('OTEL_NODE_RESOURCE_DETECTORS', words, 'it is left out') ?? []
  const installedOnly = named.includes('all')
  return { names: installedOnly ? CLOUDS : CLOUDS.filter((name) => named.includes(name)), installedOnly }
}
