/** Whether a version of `@opentelemetry/api` works with this package. */
export function apiWorks(version: string): boolean {
  return /^1\.(?:9|10)\./.test(version)
}

/**
 * Whether a copy of `@opentelemetry/api` turns away what the preload has registered: it takes that of its own major version, from its own
 * minor version on.
 */
export function apiRefuses(version: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number)
  return major !== 1 || minor > 10
}

/** Whether this package is tested with a version of Piscina. */
export function piscinaIsTested(version: string): boolean {
  return /^(?:4\.(?:[4-9]|\d\d)|5)\./.test(version)
}
