import type { Instrumentation } from './contract.js'
import { DATABASES } from './databases.js'
import { type DisableNamed, enableAll, type InstrumentationOptions } from './enable.js'
import { ON_HTTP } from './frameworks.js'
import { setKnownMethods } from './http-semantics.js'
import { MESSAGING } from './messaging.js'
import { RPC } from './rpc.js'
import { SQLITE } from './sqlite/index.js'
import { WEB } from './web.js'

/** Every library that is followed. */
export const INSTRUMENTATIONS: readonly Instrumentation[] = [
  ...WEB,
  ...ON_HTTP,
  ...DATABASES,
  ...SQLITE,
  ...MESSAGING,
  ...RPC,
]

/**
 * Enables all of them; see {@link enableAll}.
 *
 * @param options with `knownMethods`, method names to call known (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`); by default those of the semantic
 *   conventions.
 */
export function enableInstrumentations(
  options: InstrumentationOptions & { readonly knownMethods?: readonly string[] },
): DisableNamed {
  setKnownMethods(options.knownMethods)
  return enableAll(INSTRUMENTATIONS, options)
}
