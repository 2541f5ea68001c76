import type { EventEmitter } from 'node:events'
import { keepListeners } from '../context/emitter.js'
import { inCurrent } from '../context/in-current.js'
import { capture } from '../context/snapshot.js'
import type { Disable } from '../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import { withBoundCallbacks } from './bind-callbacks.js'
import { inFolder } from './libraries.js'

const IOREDIS = inFolder('ioredis')
const NODE_REDIS = /[\\/]@redis[\\/]client[\\/]/

/** Classes whose listeners are kept. */
const kept = new WeakSet<object>()

/** ioredis: listeners (`message` and the like) run in the context of whoever added them, whoever opened the connection. */
export function followIoredis(): Disable {
  const onLoad = ({ exports, parent }: Loaded): undefined => {
    const prototype = IOREDIS.test(parent) ? prototypeOf((exports as Exports)?.default) : undefined
    if (prototype === undefined || kept.has(prototype)) return
    kept.add(prototype)
    keepListeners(prototype as EventEmitter, inCurrent)
  }
  return onLoads(
    new Map<string, OnLoad>([
      ['./Redis', onLoad],
      ['./cluster', onLoad],
    ]),
  )
}

/** node-redis: listeners of a channel, and what waits for a client of a pool, run in the context of whoever asked. */
export function followNodeRedis(): Disable {
  return onLoads(
    new Map<string, OnLoad>([
      ['./pub-sub', patchSubscriptions],
      ['./pool', patchPool],
      ['./lib/client/pool', patchPool],
    ]),
  )
}

interface Exports {
  readonly default?: unknown
  readonly PubSub?: unknown
  readonly RedisClientPool?: unknown
}

function patchSubscriptions({ exports, parent }: Loaded): undefined {
  const prototype = NODE_REDIS.test(parent) ? prototypeOf((exports as Exports)?.PubSub) : undefined
  if (prototype === undefined) return
  patchMethod(prototype, 'subscribe', subscribing)
  patchMethod(prototype, 'unsubscribe', unsubscribing)
}

function patchPool({ exports, parent }: Loaded): undefined {
  const prototype = NODE_REDIS.test(parent) ? prototypeOf((exports as Exports)?.RedisClientPool) : undefined
  if (prototype !== undefined) patchMethod(prototype, 'execute', withBoundCallbacks)
}

type Listener = (...args: never[]) => unknown

/** By the one that was handed over, of each set of subscriptions: by that it is taken away. The same one twice is one. */
const bound = new WeakMap<object, WeakMap<Listener, Listener>>()

/** `subscribe(type, channels, listener, …)`. */
function subscribing(original: Method): Method {
  return function (...args) {
    const listener = args[2]
    if (typeof listener !== 'function') return original.apply(this, args)
    const those = bound.get(this as object) ?? new WeakMap<Listener, Listener>()
    bound.set(this as object, those)
    const known = those.get(listener as Listener) ?? capture().wrap(listener as Listener)
    those.set(listener as Listener, known)
    args[2] = known
    return original.apply(this, args)
  }
}

/** `unsubscribe(type, channels, listener, …)`. */
function unsubscribing(original: Method): Method {
  return function (...args) {
    const listener = args[2]
    if (typeof listener === 'function')
      args[2] = bound.get(this as object)?.get(listener as Listener) ?? listener
    return original.apply(this, args)
  }
}
