import { guarded } from '../../hooks/guarded.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { HeldTask, PoolAdapter, PoolHost } from '../adapter.js'
import { notePool } from '../figures.js'
import { taskName } from '../task-name.js'

/** workerpool's own kind of promise. */
interface Outcome {
  then(succeeded: () => void, failed: (error: unknown) => void): unknown
}

/** A worker and its link to the pool. */
interface Handler {
  readonly worker: { send: Method }
  /** What waits until the worker has said that it is ready. */
  readonly requestQueue: { readonly message: object }[]
}

/** Tasks by the promise that their submitter has. */
const held = new WeakMap<object, HeldTask>()
/** By the message, of those that wait for their worker. */
const waiting = new WeakMap<object, HeldTask>()
/** The one that is being submitted: its promise is not known yet. */
let submitted: HeldTask | undefined
/** The one whose message is being made. */
let posted: HeldTask | undefined

/**
 * workerpool (https://github.com/josdejong/workerpool), with worker threads and with child processes.
 *
 * It takes a task from its queue where another one has ended, and holds messages back until a worker is ready: both are done in the
 * task's own context.
 */
export const workerpool: PoolAdapter = {
  name: 'workerpool',

  requests: ['./Pool', './WorkerHandler'],

  loaded({ request, exports, parent }, host) {
    const prototype = prototypeOf(exports)
    if (prototype === undefined || !/[\\/]workerpool[^\\/]*[\\/]/.test(parent.filename ?? '')) return
    if (request === './Pool') patchMethod(prototype, 'exec', (original) => submitting(original, host), 'pool')
    else patchMethod(prototype, 'exec', executing, 'pool')
  },

  accepts: () => false,
  trace() {},
  untrace() {},
}

/** What `pool.stats()` tells. */
function readStats(pool: object): { workers: unknown; queued: unknown } {
  const { totalWorkers, pendingTasks } = (pool as { stats(): Record<string, unknown> }).stats()
  return { workers: totalWorkers, queued: pendingTasks }
}

/** `Pool.prototype.exec(method, params, options)`. */
function submitting(original: Method, { tracing }: PoolHost): Method {
  return function (...args) {
    const [method, params] = args
    // A function is submitted once more by its text, as a task of the method `run`.
    if (typeof method !== 'string') return original.apply(this, args)
    notePool(this as object, 'workerpool', readStats)
    const task = tracing.hold('workerpool', taskName(method === 'run' ? functionName(params) : method))
    const before = submitted
    submitted = task
    let outcome: Outcome
    try {
      outcome = original.apply(this, args) as Outcome
    } catch (error) {
      task.fail(error)
      throw error
    } finally {
      submitted = before
    }
    held.set(outcome, task)
    outcome.then(
      () => task.settle(),
      (error) => task.fail(error),
    )
    return outcome
  }
}

function functionName(params: unknown): string {
  const [text] = Array.isArray(params) ? params : []
  return /^(?:async\s+)?function\s*\*?\s*([\w$]+)/.exec(String(text))?.[1] ?? 'function'
}

/** `WorkerHandler.prototype.exec(method, params, resolver, options)`. */
function executing(original: Method): Method {
  return function (...args) {
    const handler = this as Handler
    const promise = (args[2] as { promise?: object } | undefined)?.promise
    if (promise === undefined) return original.apply(this, args)
    const task = held.get(promise) ?? submitted
    if (task === undefined) return original.apply(this, args)
    guarded('workerpool', () => patchMethod(handler.worker, 'send', sending, 'pool'))
    const queued = handler.requestQueue.length
    const before = posted
    posted = task
    try {
      return original.apply(this, args)
    } finally {
      posted = before
      const request = handler.requestQueue[queued]
      if (request !== undefined) waiting.set(request.message, task)
    }
  }
}

/** `send(message, transfer)`, which each worker has of its own. */
function sending(original: Method): Method {
  return function (...args) {
    const [message] = args
    const task =
      posted ?? (typeof message === 'object' && message !== null ? waiting.get(message) : undefined)
    return task === undefined ? original.apply(this, args) : task.post(() => original.apply(this, args))
  }
}
