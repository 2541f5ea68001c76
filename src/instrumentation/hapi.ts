import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { noteRoute, noteThrown } from './http-server.js'
import { filesOf } from './libraries.js'

/** hapi's request. */
interface HapiRequest {
  readonly raw?: { readonly req?: IncomingMessage }
  readonly route?: { readonly path?: unknown; readonly method?: unknown }
  /** An error of Boom's where the handler failed. */
  readonly response?: { readonly isBoom?: unknown } | null
}

const FILE = /[\\/]@hapi[\\/]hapi[\\/]lib[\\/]core\.js$/
/** The method of what hapi answers by itself: there is no such route. */
const SPECIAL = '_special'

let isOn = false

/** hapi: the transaction is named by the route that the request has come to, and what a handler fails with is kept for the answer. */
export const hapi: Instrumentation = {
  name: 'hapi',
  versions: '21',
  enable() {
    isOn = true
    const forget = onLoads(new Map<string, OnLoad>(filesOf('hapi').map((request) => [request, patch])))
    return () => {
      isOn = false
      forget()
    }
  },
}

function patch({ exports, parent }: Loaded): undefined {
  const prototype = FILE.test(parent) ? prototypeOf(exports) : undefined
  if (prototype === undefined) return
  patchMethod(prototype, '_lookup', lookingUp, 'spans')
  patchMethod(prototype, '_reply', replying, 'spans')
}

/** `Request.prototype._lookup()`: finds the route. */
function lookingUp(original: Method): Method {
  return function (...args) {
    const result = original.apply(this, args)
    const { raw, route } = this as HapiRequest
    if (isOn && typeof route?.path === 'string' && route.method !== SPECIAL && !isDeactivated('hapi'))
      noteRoute(raw?.req, route.path)
    return result
  }
}

/** `Request.prototype._reply(exit)`: sends what the handlers have come to. */
function replying(original: Method): Method {
  return function (...args) {
    const { raw, response } = this as HapiRequest
    const error = response?.isBoom === true ? response : args[0]
    if (isOn && error instanceof Error && !isDeactivated('hapi')) noteThrown(raw?.req, error)
    return original.apply(this, args)
  }
}
