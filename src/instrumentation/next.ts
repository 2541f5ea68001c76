import { isDeactivated } from '../config/live.js'
import { guard } from '../hooks/channels.js'
import { type Method, patchMethod } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { frameworkOf } from './frameworks/libraries.js'
import { onExports } from './frameworks/loads.js'
import { noteRoute, requests } from './frameworks/requests.js'

/** The attribute by which Next's server says which route it has found. */
const ROUTE = 'next.route'
/** Pages that it answers with by itself: there is no such route. */
const SPECIAL: ReadonlySet<unknown> = new Set(['/_not-found', '/_error', '/404', '/500', '/_global-error'])

/** Requests that were told their route: what is rendered for the page that answers comes first. */
const named = new WeakSet<object>()
let isOn = false

/**
 * Next: the transaction is named by its route. Next makes spans of its own by OpenTelemetry's API, errors among them; it says the route on the one
 * that it makes of the request when the response has been sent, and for itself before.
 */
export const next: Instrumentation = {
  name: 'next',
  versions: '16',
  enable() {
    isOn = true
    const forget = onExports(frameworkOf('next'), (exports) => {
      const tracer = (exports as { getTracer?(): object }).getTracer?.()
      const prototype = tracer && (Object.getPrototypeOf(tracer) as object | null)
      if (!prototype) return
      requests()?.keepCurrent()
      patchMethod(prototype, 'setRootSpanAttribute', setting, 'spans')
    })
    return () => {
      isOn = false
      forget()
    }
  },
}

/** `setRootSpanAttribute(key, value)` of Next's tracer. */
function setting(original: Method): Method {
  return function (...args) {
    if (isOn && args[0] === ROUTE && !isDeactivated('next')) found(args[1])
    return original.apply(this, args)
  }
}

const found = guard('next route', (route: unknown) => {
  const handled = requests()?.current()
  if (handled === undefined || named.has(handled) || typeof route !== 'string' || SPECIAL.has(route)) return
  named.add(handled)
  noteRoute(handled, { method: handled.method, route })
})
