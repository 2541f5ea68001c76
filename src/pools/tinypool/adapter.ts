import { join } from 'node:path'
import type { PoolAdapter, PoolHost } from '../adapter.js'
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
 * It is an ES module of one file, which no loader of CommonJS shows: pools are traced one by one.
 */
export const tinypool: PoolAdapter = {
  name: 'tinypool',

  requests: [],

  loaded() {},

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
