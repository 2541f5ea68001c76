import { context as contextApi, INVALID_SPAN_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import { live } from '../config/live.js'
import { matcherOf } from '../config/wildcards.js'
import { randomHex } from '../core/ids.js'
import { shared } from '../core/shared.js'
import type { Disable } from '../hooks/channels.js'
import type { EnableOptions, Instrumentation } from './contract.js'

/** What {@link enableAll} takes beside the instrumentations. */
export interface InstrumentationOptions extends EnableOptions {
  /** Makes the spans. */
  readonly tracer: Tracer
  /** Names of instrumentations to leave out (`OTEL_NODE_DISABLED_INSTRUMENTATIONS`); names of others are ignored. */
  readonly disabled?: readonly string[]
  /** Patterns of paths whose requests are not recorded (`THREADSPAN_IGNORE_URLS`). */
  readonly ignoreUrls?: readonly string[]
}

/** Ends the instrumentation of a name, or all of them. */
export type DisableNamed = (name?: string) => void

/** Of whichever copy of this package: a thread can be given the preloads of two installations. */
const current = shared('instrumentation.enabled', () => new Map<string, Disable>())

/**
 * Has each instrumentation make spans, or name transactions, by what its library does in this thread. Loads none of the libraries. Needs a
 * context manager and a propagator to be registered with the OpenTelemetry API by the time of the first request. An instrumentation that
 * is on already is begun anew.
 *
 * @returns ends them. Requests that are under way then are not followed to their end.
 */
export function enableAll(
  instrumentations: readonly Instrumentation[],
  options: InstrumentationOptions,
): DisableNamed {
  const { tracer, disabled = [], ignoreUrls = [] } = options
  const ignored = ignoreUrls.length === 0 ? undefined : matcherOf(ignoreUrls)
  const own = new Map<string, Disable>()
  for (const { name, enable } of instrumentations) {
    current.get(name)?.()
    if (disabled.includes(name)) continue
    const isSame = live.now === undefined && ignored === undefined
    const undo = enable(isSame ? tracer : switched(tracer, name, ignored), options)
    const disable = (): void => {
      if (!own.delete(name)) return
      if (current.get(name) === disable) current.delete(name)
      undo()
    }
    own.set(name, disable)
    current.set(name, disable)
  }
  return (name) => {
    for (const [key, disable] of own) if (name === undefined || key === name) disable()
  }
}

/**
 * Lets what libraries tell over a connection that many requests share run in the context of whoever asked. It makes no spans, and is of use
 * whoever makes them. Libraries that were loaded before are not seen.
 */
export function followSharedConnections(instrumentations: readonly Instrumentation[]): void {
  for (const { follow } of instrumentations) follow?.()
}

/**
 * A tracer that goes by settings, which may change. While the instrumentation of a name is deactivated it makes no spans: what would be below one
 * is below its parent then. A request that is not to be recorded gets a span that is not, and so does all that is done for it.
 *
 * @param ignored what the environment says of paths: it holds where central configuration says nothing of them.
 */
function switched(
  tracer: Tracer,
  instrumentation: string,
  ignored: ((path: string) => unknown) | undefined,
): Tracer {
  const startSpan: Tracer['startSpan'] = (name, options, context = contextApi.active()) => {
    const settings = live.now?.()
    const parent = trace.getSpanContext(context)
    if (settings?.isDeactivated(instrumentation)) return trace.wrapSpanContext(parent ?? INVALID_SPAN_CONTEXT)
    const { 'http.request.method': method, 'url.path': path } = options?.attributes ?? {}
    if (options?.kind !== SpanKind.SERVER || path === undefined)
      return tracer.startSpan(name, options, context)
    const isIgnored =
      settings?.values.transaction_ignore_urls === undefined
        ? ignored?.(String(path)) !== undefined
        : settings.isIgnored(String(path))
    if (isIgnored) {
      const traceId = parent?.traceId ?? randomHex(32)
      return trace.wrapSpanContext({ traceId, spanId: randomHex(16), traceFlags: 0 })
    }
    // Until something names it better, which may be of the same group.
    return tracer.startSpan(settings?.groupOf(`${method} ${path}`) ?? name, options, context)
  }
  return Object.assign(Object.create(tracer) as Tracer, { startSpan })
}
