import { instrumentFastify } from './fastify.js'
import { instrumentHttpClient } from './http-client.js'
import { setKnownMethods } from './http-semantics.js'
import { instrumentHttpServer } from './http-server.js'
import { instrumentUndici } from './undici.js'

let disableCurrent
/**
 * Follows HTTP servers and clients, `fetch`, undici and Fastify in this thread, by what they publish on `node:diagnostics_channel`. Loads
 * none of them. Needs a context manager and a propagator to be registered with the OpenTelemetry API by the time of the first
 * request. A second call replaces the first.
 *
 * @returns a function that ends it. Requests that are under way then are not followed to their end.
 */
export function enableInstrumentations(options) {
  disableCurrent?.()
  const { tracer, disabled = [], knownMethods } = options
  setKnownMethods(knownMethods)
  const undo = []
  if (!disabled.includes('http')) undo.push(instrumentHttpServer(tracer), instrumentHttpClient(tracer))
  if (!disabled.includes('undici')) undo.push(instrumentUndici(tracer))
  if (!disabled.includes('fastify')) undo.push(instrumentFastify())
  const disable = () => {
    for (const fn of undo.splice(0)) fn()
    if (disableCurrent === disable) disableCurrent = undefined
  }
  disableCurrent = disable
  return disable
}
