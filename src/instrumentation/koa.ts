import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import { imitate } from '../hooks/imitate.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { noteRoute, noteThrown } from './http-server.js'
import { filesOf, inFolder } from './libraries.js'

/** Koa's context, which each request has one of. */
interface KoaContext {
  readonly req?: IncomingMessage
}

const FILE = inFolder('koa')
/** The package by which Koa makes one function of all middleware. */
const COMPOSE = 'koa-compose'
/** Where the routers of Koa say which route they have found. */
const ROUTE = '_matchedRoute'

const routes = new WeakMap<object, unknown>()
let isOn = false

/**
 * Koa: the transaction is named by the route that a router of it has found (`@koa/router`, `koa-router`: each says it on the context), and what a
 * middleware fails with is kept for the answer, whichever answers.
 */
export const koa: Instrumentation = {
  name: 'koa',
  versions: '2, 3',
  enable() {
    isOn = true
    const forget = onLoads(new Map<string, OnLoad>(filesOf('koa').map((request) => [request, patch])))
    return () => {
      isOn = false
      forget()
    }
  },
}

function patch({ request, exports, parent }: Loaded): unknown {
  if (!FILE.test(parent)) return undefined
  if (request === COMPOSE) return typeof exports === 'function' ? composing(exports as Method) : undefined
  patchContext(exports)
  return undefined
}

const composed = new WeakMap<object, Method>()

/** `compose(middleware)`: a middleware may answer for what those behind it fail with. */
function composing(original: Method): Method {
  let instead = composed.get(original)
  if (instead === undefined) {
    instead = imitate(
      function (this: unknown, middleware, ...rest) {
        const list = Array.isArray(middleware) ? middleware.map(watched) : middleware
        return original.call(this, list, ...rest)
      } as Method,
      original,
    )
    composed.set(original, instead)
  }
  return instead
}

function watched(middleware: unknown): unknown {
  if (typeof middleware !== 'function') return middleware
  return function (this: unknown, context: KoaContext, next: unknown): unknown {
    const result: unknown = middleware.call(this, context, next)
    if (result instanceof Promise) result.then(undefined, (error: unknown) => failed(context, error))
    return result
  }
}

function failed({ req }: KoaContext, error: unknown): void {
  if (isOn && error && !isDeactivated('koa')) noteThrown(req, error)
}

function patchContext(exports: unknown): void {
  if (typeof exports !== 'object' || exports === null || ROUTE in exports) return
  if (typeof (exports as { onerror?: unknown }).onerror !== 'function') return
  patchMethod(exports, 'onerror', failing, 'spans')
  Object.defineProperty(exports, ROUTE, {
    get(this: object) {
      return routes.get(this)
    },
    set(this: object, route: unknown) {
      const before = routes.get(this)
      routes.set(this, route)
      found(this as KoaContext, route, before)
    },
    configurable: true,
    enumerable: false,
  })
}

/** The routers say so of each middleware on the way to the route as well. */
function found({ req }: KoaContext, route: unknown, before: unknown): void {
  if (!isOn || isDeactivated('koa') || (typeof route !== 'string' && !(route instanceof RegExp))) return
  const text = String(route)
  if (typeof before === 'string' && (before.startsWith(text) || /[(*{]/.test(text))) return
  noteRoute(req, text || '/')
}

/** `onerror(error)` of the context; Koa calls it without one as well. */
function failing(original: Method): Method {
  return function (...args) {
    failed(this as KoaContext, args[0])
    return original.apply(this, args)
  }
}
