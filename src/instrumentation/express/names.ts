import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../../config/live.js'
import { guard } from '../../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { Instrumentation } from '../contract.js'
import { noteThrown, serverRequest } from '../http-server.js'
import { filesOf } from '../libraries.js'
import { type ServerRequest, setRoute } from '../server-transaction.js'

/** What Express's router (in `express` itself up to version 4, in `router` from 5) keeps for each `use` and each route. */
interface Layer {
  readonly route?: { readonly path?: unknown } | undefined
}

type Request = IncomingMessage & Layer
type LayerClass = new (...args: unknown[]) => object

/** `router/index.js`, `router/lib/route.js` and, in Express 4, `express/lib/router/index.js`. */
const ROUTER_FILE = /[\\/]router[\\/](?:lib[\\/])?(?:index|route)\.js$/

/** The path that each layer was made with. The router itself keeps what it matched, not the template. */
const templates = new WeakMap<object, string>()
const watched = new WeakMap<object, object>()

/**
 * Express 4 and 5: the transaction is named by the whole template, `GET /orgs/:org/items/:item`, before the route's handlers run, and
 * what they fail with is kept for the answer.
 */
export const express: Instrumentation = {
  name: 'express',
  versions: '4, 5',
  enable: () => onLoads(new Map<string, OnLoad>(filesOf('express').map((request) => [request, watchLayer]))),
}

function watchLayer({ exports, parent }: Loaded): unknown {
  if (!ROUTER_FILE.test(parent)) return undefined
  const prototype = prototypeOf(exports)
  if (prototype === undefined || !('handle_request' in prototype || 'handleRequest' in prototype))
    return undefined
  const type = exports as LayerClass
  const known = watched.get(type)
  if (known !== undefined) return known
  patchMethod(prototype, 'handle_request', handling)
  patchMethod(prototype, 'handleRequest', handling)
  patchMethod(prototype, 'handle_error', handlingError)
  patchMethod(prototype, 'handleError', handlingError)
  const made = (layer: object, path: unknown): object => {
    const template = templateOf(path)
    if (template !== '') templates.set(layer, template)
    return layer
  }
  const instead = new Proxy(type, {
    construct: (target, args: unknown[], newTarget) =>
      made(Reflect.construct(target, args, newTarget) as object, args[0]),
    // The routers make layers without `new` as well.
    apply: (target, _receiver, args: unknown[]) => made(new target(...args), args[0]),
  })
  watched.set(type, instead)
  return instead
}

/** Without the slash of a mount at the root, which adds nothing. Patterns and lists are as they were written. */
function templateOf(path: unknown): string {
  if (path === '/' || path === undefined || path === null) return ''
  return Array.isArray(path) ? path.map(String).join(',') : String(path)
}

/** `Layer.prototype.handleRequest(request, response, next)`. */
function handling(original: Method): Method {
  return function (this: unknown, ...args) {
    const [request, response, next] = args as [Request, unknown, unknown]
    if (typeof next !== 'function' || isDeactivated('express')) return original.apply(this, args)
    let mounted: ServerRequest | undefined
    let before = ''
    guard('express route', () => {
      const { route } = this as Layer
      const template = templates.get(this as object)
      if (route === undefined && template === undefined) return
      mounted = serverRequest(request)
      if (mounted === undefined) return
      before = mounted.mount
      if (route === undefined) mounted.mount = join(before, template ?? '')
      else reach(mounted, request, route)
    })(undefined)
    return original.call(this, request, response, (...outcome: unknown[]) => {
      const [error] = outcome
      if (error && error !== 'route' && error !== 'router') failed(request, error)
      if (mounted !== undefined) mounted.mount = before
      return (next as Method)(...outcome)
    })
  }
}

/** `Layer.prototype.handleError(error, request, response, next)`: also for what no layer has failed with, but a callback of `param`. */
function handlingError(original: Method): Method {
  return function (this: unknown, ...args) {
    if (!isDeactivated('express')) failed(args[1] as Request, args[0])
    return original.apply(this, args)
  }
}

function reach(handled: ServerRequest, request: Request, route: { readonly path?: unknown }): void {
  handled.matched = route
  setRoute(handled, request.method ?? '', join(handled.mount, templateOf(route.path)) || '/')
}

/** The route that was matched may not have been reached, where a callback of `param` failed. */
const failed = guard('express error', (request: Request, error: unknown) => {
  noteThrown(request, error)
  const handled = serverRequest(request)
  const { route } = request
  if (handled !== undefined && route !== undefined && handled.matched !== route)
    reach(handled, request, route)
})

function join(mount: string, template: string): string {
  return mount.endsWith('/') && template.startsWith('/')
    ? `${mount.slice(0, -1)}${template}`
    : `${mount}${template}`
}
