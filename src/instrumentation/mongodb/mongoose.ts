import { capture, type Snapshot } from '../../context/snapshot.js'
import type { Disable } from '../../hooks/channels.js'
import { type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { inFolder } from '../libraries.js'

/** A call that waits for the connection, in a collection's queue. */
type Waiting = [method: unknown, args: unknown]

const FILE = inFolder('mongoose')
/** By the arguments of the call. */
const asked = new WeakMap<object, Snapshot>()

/** Mongoose before 9 makes the calls that have waited for a connection where that has opened: each is made in the context of who asked. */
export function followMongoose(): Disable {
  const onCollection: OnLoad = ({ exports, parent }) => {
    const prototype = prototypeOf(exports)
    if (prototype === undefined || !FILE.test(parent)) return
    patchMethod(prototype, 'addQueue', adding)
    patchMethod(prototype, 'doQueue', calling)
  }
  return onLoads(new Map(['../../collection', './collection'].map((request) => [request, onCollection])))
}

function adding(original: Method): Method {
  return function (...args) {
    const [, given] = args
    if (Array.isArray(given)) asked.set(given, capture())
    return original.apply(this, args)
  }
}

function calling(original: Method): Method {
  return function (...args) {
    const { queue } = this as { queue?: unknown }
    for (const waiting of Array.isArray(queue) ? (queue as Waiting[]) : []) bind(waiting)
    return original.apply(this, args)
  }
}

/** A queue takes functions as well as names. */
function bind(waiting: Waiting): void {
  const [name, args] = waiting
  const snapshot = typeof name === 'string' ? asked.get(args as object) : undefined
  waiting[0] =
    snapshot?.wrap(function (this: Record<string, Method>, ...given: unknown[]) {
      return this[name as string]!(...given)
    }) ?? name
}
