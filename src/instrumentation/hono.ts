import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import { guard } from '../hooks/channels.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { frameworkOf } from './frameworks/libraries.js'
import { onExports } from './frameworks/loads.js'
import { noteRoute, noteThrown, requestOf } from './frameworks/requests.js'

/** Hono's context, which each request has one of. */
interface HonoContext {
  readonly env?: { readonly incoming?: IncomingMessage } | null
  readonly req: { readonly method: string }
  /** What a handler failed with that an error handler has answered for. */
  readonly error?: unknown
}

/** What Hono gives its router for each handler. */
type Entry = readonly [handler: Handler, route: { readonly path?: unknown; readonly method?: unknown }]
type Handler = (this: unknown, context: HonoContext, next: unknown) => unknown

/** Handlers that were put around the application's. */
const ours = new WeakSet<object>()
let isOn = false

const isOff = (): boolean => !isOn || isDeactivated('hono')

/**
 * Hono: the transaction is named by the route whose handler is called, and what handlers fail with is kept for the answer. They are gone around
 * as the application gives them to its router; what Hono tells of its routes stays the application's own.
 */
export const hono: Instrumentation = {
  name: 'hono',
  versions: '4',
  enable() {
    isOn = true
    const forget = onExports(frameworkOf('hono'), (exports) => {
      for (const found of Object.values(exports)) {
        const prototype = prototypeOf(found)
        if (prototype !== undefined && 'match' in prototype) patchMethod(prototype, 'add', adding, 'spans')
      }
    })
    return () => {
      isOn = false
      forget()
    }
  },
}

/** `add(method, path, [handler, route])` of a router. Routers hand on to each other. */
function adding(original: Method): Method {
  return function (method, path, entry, ...rest) {
    const instead = entryOf(entry) ?? entry
    return original.call(this, method, path, instead, ...rest)
  }
}

function entryOf(entry: unknown): Entry | undefined {
  if (!Array.isArray(entry)) return undefined
  const [handler, route] = entry as unknown as Entry
  if (typeof handler !== 'function' || ours.has(handler) || typeof route?.path !== 'string') return undefined
  const { path, method } = route
  // Middleware is for all methods, and calls the next one.
  const isRoute = method !== 'ALL' || handler.length < 2
  const instead: Handler = function (context, next) {
    if (isOff()) return handler.call(this, context, next)
    if (isRoute) reach(context, path)
    let result: unknown
    try {
      result = handler.call(this, context, next)
    } catch (error) {
      failed(context, error)
      throw error
    }
    if (result instanceof Promise)
      result.then(
        () => context.error && failed(context, context.error),
        (error: unknown) => failed(context, error),
      )
    return result
  }
  ours.add(instead)
  return [instead, route]
}

const reach = guard('hono route', (context: HonoContext, route: string) => {
  noteRoute(requestOf(context.env?.incoming), { method: context.req.method, route })
})

const failed = guard('hono error', (context: HonoContext, error: unknown) => {
  noteThrown(requestOf(context.env?.incoming), error)
})
