import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import { guard, subscribe } from '../hooks/channels.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { frameworkOf } from './frameworks/libraries.js'
import { aroundFunctions, onExports } from './frameworks/loads.js'
import { noteRoute, noteThrown, requestOf } from './frameworks/requests.js'
import type { ServerRequest } from './server-transaction.js'

/** A request of srvx, on which h3 is made from version 2. */
interface ServerLike {
  readonly method?: string
  readonly runtime?: { readonly node?: { readonly req?: NodeRequest } }
}

type NodeRequest = IncomingMessage & { readonly originalUrl?: string }

/** h3's event, which each request has one of. */
interface H3Event {
  readonly context?: Record<string, unknown>
  /** From version 2. */
  readonly req?: ServerLike
  /** Before. */
  readonly node?: { readonly req?: NodeRequest }
  readonly path?: string
}

/** Where the routers of h3 say which route they have found. */
const ROUTE = 'matchedRoute'

interface Matched {
  /** From version 2. */
  readonly route?: unknown
  /** Before. */
  readonly path?: unknown
}

let isOn = false

const isOff = (): boolean => !isOn || isDeactivated('h3')

/**
 * h3: the transaction is named by the route that a router has found, and what handlers fail with is kept for the answer. The channels of h3 2 and
 * of srvx, which publish where the application (or Nitro) has them do so, are of use where their files are not seen: in a bundle.
 */
export const h3: Instrumentation = {
  name: 'h3',
  versions: '1, 2',
  enable() {
    isOn = true
    const framework = frameworkOf('h3')
    const undo = [
      // Version 2: a class whose instances have `handler` bound.
      onExports(framework, (exports) => {
        const prototype = prototypeOf((exports as { H3Core?: unknown }).H3Core)
        if (prototype === undefined) return
        patchMethod(prototype, 'handler', handling, 'spans')
        patchMethod(prototype, '~addRoute', adding, 'spans')
      }),
      aroundFunctions(framework, {
        toNodeListener: (original) => ((app: never) => original(watchApp(app) as never)) as typeof original,
      }),
      subscribe({
        'tracing:h3.request:start': ({ event, type }: { event: H3Event; type?: string }) => {
          if (type === 'route' && !isOff()) found(event, event.context?.[ROUTE])
        },
        'tracing:h3.request:error': ({ event, error }: { event: H3Event; error: unknown }) => {
          if (!isOff()) failed(event, error)
        },
        'tracing:srvx.request:error': ({ request, error }: { request: ServerLike; error: unknown }) => {
          if (!isOff()) noteThrown(requestOf(request.runtime?.node?.req), error)
        },
      }),
    ]
    return () => {
      isOn = false
      for (const fn of undo) fn()
    }
  },
}

/** Applications of version 1 that are watched. */
const apps = new WeakSet<object>()

/** Version 1: an application is an object with a `handler`. */
function watchApp(app: unknown): unknown {
  if (typeof app === 'object' && app !== null && !('H3Core' in app) && !apps.has(app)) {
    apps.add(app)
    patchMethod(app, 'handler', handling, 'spans')
  }
  return app
}

/** `handler(event)` of an application. */
function handling(original: Method): Method {
  const inner = withErrors(original)
  const handler: Method = function (...args) {
    if (!isOff()) watchRoute(args[0] as H3Event)
    return inner.apply(this, args)
  }
  // Handlers of version 1 are known by what they have.
  return Object.assign(handler, original)
}

/** Handlers of routes that are watched. */
const handlers = new WeakSet<object>()

/** `~addRoute(route)`: an error middleware may answer for what the route's handler fails with. */
function adding(original: Method): Method {
  return function (...args) {
    const route = args[0] as { handler?: unknown } | undefined
    const handler = route?.handler
    if (typeof handler === 'function' && !handlers.has(handler)) {
      const instead = Object.assign(withErrors(handler as Method), handler)
      handlers.add(instead)
      route!.handler = instead
    }
    return original.apply(this, args)
  }
}

function withErrors(original: Method): Method {
  return function (...args) {
    if (isOff()) return original.apply(this, args)
    const event = args[0] as H3Event
    let result: unknown
    try {
      result = original.apply(this, args)
    } catch (error) {
      failed(event, error)
      throw error
    }
    if (result instanceof Promise) result.then(undefined, (error: unknown) => failed(event, error))
    return result
  }
}

/** Sees the route as the router says it: before it calls the handler. */
const watchRoute = guard('h3 route', (event: H3Event) => {
  const { context } = event
  if (typeof context !== 'object' || context === null || !Object.isExtensible(context)) return
  const descriptor = Object.getOwnPropertyDescriptor(context, ROUTE)
  if (descriptor?.set !== undefined) return
  let matched: unknown = descriptor?.value
  const watch = (isSet: boolean): void => {
    Object.defineProperty(context, ROUTE, {
      get: () => matched,
      set(route: unknown) {
        matched = route
        watch(true)
        found(event, route)
      },
      configurable: true,
      // Until there is a route, whoever copies the context finds none.
      enumerable: isSet,
    })
  }
  watch(descriptor !== undefined)
})

const found = guard('h3 route', (event: H3Event, matched: unknown) => {
  const { route, path } = (matched ?? {}) as Matched
  const template = typeof route === 'string' ? route : path
  if (typeof template !== 'string') return
  const request = event.node?.req ?? event.req?.runtime?.node?.req
  const before = route === undefined ? mountOf(event) : ''
  noteRoute(handledOf(event), {
    method: request?.method ?? event.req?.method ?? '',
    route: `${before}${template}`,
  })
})

const failed = guard('h3 error', (event: H3Event, error: unknown) => {
  noteThrown(handledOf(event), error)
})

function handledOf(event: H3Event): ServerRequest | undefined {
  return requestOf(event.node?.req ?? event.req?.runtime?.node?.req)
}

/** Version 1 takes the base of a layer, which is fixed text, off the path before the router behind it sees it. */
function mountOf({ node, path = '' }: H3Event): string {
  const whole = node?.req?.originalUrl ?? ''
  return path !== '' && whole.length > path.length && whole.endsWith(path) ? whole.slice(0, -path.length) : ''
}
