import type { Tracer } from '@opentelemetry/api'
import { shared } from '../core/shared.js'
import type { Disable } from '../hooks/channels.js'
import type { EnableOptions, Instrumentation } from './contract.js'

/** What {@link enableAll} takes beside the instrumentations. */
export interface InstrumentationOptions extends EnableOptions {
  /** Makes the spans. */
  readonly tracer: Tracer
  /** Names of instrumentations to leave out (`OTEL_NODE_DISABLED_INSTRUMENTATIONS`); names of others are ignored. */
  readonly disabled?: readonly string[]
}

/** Ends the instrumentation of a name, or all of them. */
export type DisableNamed = (name?: string) => void

/** Of whichever copy of this package: a thread can be given the preloads of two installations. */
const current = shared('instrumentation', () => new Map<string, Disable>())

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
  const { tracer, disabled = [] } = options
  const own = new Map<string, Disable>()
  for (const { name, enable } of instrumentations) {
    current.get(name)?.()
    if (disabled.includes(name)) continue
    const undo = enable(tracer, options)
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
