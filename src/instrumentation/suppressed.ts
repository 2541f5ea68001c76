import { type Context, createContextKey } from '@opentelemetry/api'

/** The key by which OpenTelemetry's SDK marks what its own exporters do (`suppressTracing` of `@opentelemetry/core`). */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** Whether nothing that happens in `context` is to be traced, nor told of it in headers. */
export function isSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true
}

/** `context`, with nothing that happens in it to be traced. */
export function withoutTracing(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING, true)
}
