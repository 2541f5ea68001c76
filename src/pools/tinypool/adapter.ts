import { join } from 'node:path'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { PoolAdapter, PoolHost } from '../adapter.js'
import { sharedPools } from '../shared.js'
import { traceOne, untraceOne } from '../trace-one.js'
import type { Kind } from '../traced-run.js'

const TINYPOOL: Kind = { pool: 'tinypool', symbols: 'Tinypool', queues: ['ArrayTaskQueue'] }

const shimOf = ({ folder }: PoolHost): string => join(folder, 'tinypool', 'task.cjs')

/** Known by what Piscina, from which it was made, does not have. */
function isTinypoolClass(value: unknown): boolean {
  if (typeof value !== 'function') return false
  const { prototype } = value
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    ['run', 'destroy', 'threads', 'recycleWorkers', 'cancelPendingTasks'].every((name) =>
      Object.hasOwn(prototype, name),
    ) &&
    Object.hasOwn(value, 'isWorkerThread')
  )
}

/**
 * Tinypool (https://github.com/tinylibs/tinypool), in worker threads and in child processes, by its public `run`.
 *
 * It is an ES module of one file, which only later Nodes show; there each pool is traced with its first task. Elsewhere `tracePool` traces one.
 */
export const tinypool: PoolAdapter = {
  name: 'tinypool',

  requests: [],

  loaded() {},

  modules: /[\\/]tinypool[^\\/]*[\\/]dist[\\/]index\.js$/,

  imported(exports, host) {
    const { Tinypool, default: other = Tinypool } = exports as { Tinypool?: unknown; default?: unknown }
    const prototype = isTinypoolClass(other) ? prototypeOf(other) : undefined
    if (prototype === undefined) return
    const running = (original: Method): Method =>
      function (...args) {
        const pool = this as { run: Method }
        if (sharedPools().traced.has(pool)) return original.apply(pool, args)
        traceOne(pool, TINYPOOL, host, shimOf(host))
        return pool.run(...args)
      }
    patchMethod(prototype, 'run', running, 'pool')
  },

  accepts(pool) {
    for (let proto = Object.getPrototypeOf(pool); proto !== null; proto = Object.getPrototypeOf(proto)) {
      if (isTinypoolClass(proto.constructor)) return true
    }
    return false
  },

  trace(pool, host) {
    traceOne(pool, TINYPOOL, host, shimOf(host))
  },

  untrace: untraceOne,
}
