import { join } from 'node:path'
import { replace } from '../../hooks/replace-export.js'
import type { LoadedModule, PoolAdapter, PoolHost } from '../adapter.js'
import { sharedPools } from '../shared.js'
import { traceOne, untraceOne } from '../trace-one.js'
import { type Kind, type Run, tracedRun } from '../traced-run.js'
import { ownExport, PISCINA_FILES } from './files.js'
import { looksAsExpected, type PiscinaInternals, tracePiscinaInternals } from './internals.js'

/** Of each copy whose internals are traced, what its `run` is to be replaced by. */
const replacements = new WeakMap<object, (run: Run) => Run>()

const PISCINA: Kind = { pool: 'piscina', symbols: 'Piscina', queues: ['ArrayTaskQueue', 'FixedQueue'] }

type PiscinaClass = { readonly prototype: { run: Run } }

const shimOf = ({ folder }: PoolHost): string => join(folder, 'piscina', 'task.cjs')

function isPiscinaClass(value: unknown): value is PiscinaClass {
  if (typeof value !== 'function') return false
  const { prototype } = value
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.hasOwn(prototype, 'run') &&
    Object.hasOwn(prototype, 'destroy') &&
    Object.hasOwn(prototype, 'threads') &&
    // Tinypool, which was made from it, and whose workers load their files in another way.
    !Object.hasOwn(prototype, 'recycleWorkers') &&
    Object.hasOwn(value, 'isWorkerThread')
  )
}

/** The Piscina class that a pool is made by, at whatever remove. */
function classOf(pool: object): PiscinaClass | undefined {
  for (let proto = Object.getPrototypeOf(pool); proto !== null; proto = Object.getPrototypeOf(proto)) {
    if (isPiscinaClass(proto.constructor)) return proto.constructor
  }
  return undefined
}

function traceInternals({ parent, exports }: LoadedModule, host: PoolHost): void {
  const parts = {
    // Both have been loaded by now; this only looks them up.
    taskQueue: parent.require('./task_queue'),
    errors: parent.require('./errors'),
    workerPool: exports,
  } as PiscinaInternals
  if (!looksAsExpected(parts)) return
  replacements.set(exports as object, tracePiscinaInternals(parts, host.tracing, shimOf(host)))
  sharedPools().traced.set(exports as object, undefined)
}

/** What traces `run` of the class in the module: by the internals beside it, if they are traced. */
function replacementOf({ parent }: LoadedModule, host: PoolHost): ((run: Run) => Run) | undefined {
  const byCall = (run: Run): Run => tracedRun(run, PISCINA, host, shimOf(host))
  try {
    const internals = parent.require('./worker_pool') as object
    if (!sharedPools().traced.has(internals)) return byCall
    return replacements.get(internals)
  } catch {
    return byCall
  }
}

/**
 * Piscina (https://github.com/piscinajs/piscina).
 *
 * With the preload, pools are traced inside the library (see `tracePiscinaInternals`); a copy that is built in another way
 * than is known has its `Piscina.prototype.run` wrapped. CommonJS and ES module users come through the same files.
 */
export const piscina: PoolAdapter = {
  name: 'piscina',

  requests: PISCINA_FILES,

  loaded(module, host) {
    const { request, exports } = module
    const { traced } = sharedPools()
    if (request === './worker_pool') {
      if (typeof ownExport(exports, 'WorkerInfo') !== 'function' || traced.has(exports as object)) return
      traceInternals(module, host)
      return
    }
    const Piscina = ownExport(exports, 'Piscina')
    if (!isPiscinaClass(Piscina) || traced.has(Piscina)) return
    traced.set(Piscina, undefined)
    const replacement = replacementOf(module, host)
    if (replacement !== undefined) replace(Piscina.prototype, 'run', replacement(Piscina.prototype.run))
  },

  accepts(pool) {
    return classOf(pool) !== undefined
  },

  trace(pool, host) {
    if (!sharedPools().traced.has(classOf(pool)!)) traceOne(pool, PISCINA, host, shimOf(host))
  },

  untrace: untraceOne,
}
