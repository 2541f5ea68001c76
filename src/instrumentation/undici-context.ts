import { context as contextApi } from '@opentelemetry/api'
import { capture, type Snapshot } from '../context/snapshot.js'
import { registrations } from '../context/values.js'
import { type Disable, subscribe } from '../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import { inFolder } from './libraries.js'

const FILE = inFolder('undici')

/** Of undici's requests, and of what stands for one in the queue of a pool. */
const snapshots = new WeakMap<object, Snapshot>()
/** Prototypes of undici's class of requests: one for each copy of it. */
const followed = new WeakSet<object>()

/**
 * undici: what a connection tells of a request (`request`, `stream`, `pipeline`, `dispatch`: callbacks, handlers, the body's listeners) runs in
 * the context of whoever asked, whichever request the connection was opened for. A request that waits in a pool for a connection is made, and
 * has its span made, in the context in which it was handed over.
 */
export function followUndici(): Disable {
  const undo = [
    subscribe({ 'undici:request:create': ({ request }: { request: object }) => followRequest(request) }),
    onLoads(
      new Map<string, OnLoad>([
        ['./dispatcher-base', ofUndici('dispatch', dispatching)],
        ['./fixed-queue', ofUndici('push', queueing)],
        ['./node/fixed-queue', ofUndici('push', queueing)],
      ]),
    ),
  ]
  return () => {
    for (const fn of undo) fn()
  }
}

function followRequest(request: object): void {
  snapshots.set(request, capture())
  const prototype = Object.getPrototypeOf(request) as object
  if (followed.has(prototype)) return
  followed.add(prototype)
  // By what undici's clients tell a request of what the server sent.
  for (const name of Object.getOwnPropertyNames(prototype))
    if (/^on[A-Z]/.test(name)) patchMethod(prototype, name, telling)
}

function ofUndici(name: string, make: (original: Method) => Method): OnLoad {
  return ({ exports, parent }: Loaded): undefined => {
    const prototype = FILE.test(parent) ? prototypeOf(exports) : undefined
    if (prototype !== undefined) patchMethod(prototype, name, make)
  }
}

function telling(original: Method): Method {
  return function (...args) {
    return enter(snapshots.get(this as object), () => original.apply(this, args))
  }
}

/** `push(item)` of a pool's queue: all connections are busy. */
function queueing(original: Method): Method {
  return function (...args) {
    const { handler } = Object(args[0]) as { readonly handler?: unknown }
    if (typeof handler === 'object' && handler !== null) snapshots.set(handler, capture())
    return original.apply(this, args)
  }
}

/** `dispatch(options, handler)`, by which a pool hands what has waited to a connection. */
function dispatching(original: Method): Method {
  return function (...args) {
    const handler = args[1]
    const isObject = typeof handler === 'object' && handler !== null
    const snapshot = isObject ? snapshots.get(handler) : undefined
    if (snapshot === undefined) return original.apply(this, args)
    snapshots.delete(handler as object)
    return enter(snapshot, () => original.apply(this, args))
  }
}

function enter(snapshot: Snapshot | undefined, fn: () => unknown): unknown {
  const isThere =
    snapshot === undefined || (snapshot.context === contextApi.active() && registrations().length === 0)
  return isThere ? fn() : snapshot.run(fn)
}
