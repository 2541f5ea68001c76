/** OpenTelemetry's instrumentations that make the same spans as ours, by the name of their scope, and what ours is called. */
const DOUBLES: ReadonlyMap<string, string> = new Map([
  ['@opentelemetry/instrumentation-http', 'http'],
  ['@opentelemetry/instrumentation-undici', 'undici'],
  ['@opentelemetry/instrumentation-pg', 'pg'],
  ['@opentelemetry/instrumentation-mysql2', 'mysql2'],
  ['@opentelemetry/instrumentation-ioredis', 'ioredis'],
  ['@opentelemetry/instrumentation-redis', 'redis'],
  ['@opentelemetry/instrumentation-redis-4', 'redis'],
])

/** What of ours makes the same spans as the tracer of this name; undefined where nothing does. */
export function doubleOf(scope: unknown): string | undefined {
  return DOUBLES.get(scope as string)
}
