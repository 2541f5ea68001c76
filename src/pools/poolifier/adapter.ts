import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { PoolAdapter, PoolHost, PoolTracing, Submission } from '../adapter.js'
import { sharedPools } from '../shared.js'
import { taskName } from '../task-name.js'

/** A task as the pool queues and sends it. */
interface Task {
  readonly taskId?: unknown
  readonly name?: unknown
  /** What the worker needs, beside what poolifier sends. */
  [WIRE]?: unknown
}

/** A field of the message: those that are sent over IPC can have no symbols. */
const WIRE = 'threadspan'

interface Pool {
  /** `thread` or `cluster`. */
  readonly worker?: unknown
  /** Those who wait for tasks, by the tasks' ids. */
  readonly promiseResponseMap?: Map<unknown, { resolve: Method; reject: Method }>
}

type Runner = (fn: (data: unknown) => unknown, task: Task) => unknown

/** What runs tasks in a worker. */
interface Worker {
  runSync: Runner
  runAsync: Runner
}

const known = new WeakSet<object>()
const workers = new WeakSet<object>()

/**
 * poolifier (https://github.com/poolifier/poolifier), with worker threads and with clusters.
 *
 * Its threads get their tasks over ports of their own: what a task needs travels in a field of its message. A task is seen first where it is
 * submitted, whether it is queued or sent from there.
 */
export const poolifier: PoolAdapter = {
  name: 'poolifier',

  requests: ['poolifier'],

  loaded({ exports }, host) {
    if (typeof exports === 'object' && exports !== null) this.imported?.(exports, host)
  },

  modules: /[\\/]poolifier[^\\/]*[\\/]lib[\\/]index\.mjs$/,

  imported(exports, host) {
    const { FixedThreadPool, FixedClusterPool, ThreadWorker, ClusterWorker } = exports as Record<
      string,
      unknown
    >
    for (const type of [FixedThreadPool, FixedClusterPool]) {
      const prototype = baseOf(type, 'executeTask')
      if (prototype === undefined) continue
      patchMethod(prototype, 'executeTask', (original) => firstSeen(original, host), 'pool')
      patchMethod(prototype, 'enqueueTask', (original) => firstSeen(original, host), 'pool')
    }
    for (const type of [ThreadWorker, ClusterWorker]) {
      const prototype = baseOf(type, 'messageListener')
      if (prototype !== undefined) patchMethod(prototype, 'messageListener', receiving, 'pool')
    }
  },

  accepts: () => false,
  trace() {},
  untrace() {},
}

/** The prototype of the abstract class that has the method. */
function baseOf(type: unknown, name: string): object | undefined {
  let prototype = prototypeOf(type)
  while (prototype !== undefined && !Object.hasOwn(prototype, name))
    prototype = (Object.getPrototypeOf(prototype) as object | null) ?? undefined
  return prototype
}

/** `executeTask(workerNodeKey, task)` and `enqueueTask(workerNodeKey, task)`. */
function firstSeen(original: Method, { tracing }: PoolHost): Method {
  return function (...args) {
    const task = args[1] as Task | undefined
    if (typeof task === 'object' && task !== null && !known.has(task)) {
      known.add(task)
      const response = (this as Pool).promiseResponseMap?.get(task.taskId)
      const submission = response && tracing.submit('poolifier', taskName(task.name))
      if (submission !== undefined) {
        task[WIRE] = tracing.wire(submission, (this as Pool).worker === 'cluster')
        settleWith(response!, tracing, submission)
      }
    }
    return original.apply(this, args)
  }
}

function settleWith(
  response: { resolve: Method; reject: Method },
  tracing: PoolTracing,
  submission: Submission,
): void {
  const { resolve, reject } = response
  response.resolve = function (...args) {
    tracing.settle(submission)
    return resolve.apply(this, args)
  }
  response.reject = function (...args) {
    const [error] = args
    const isAbort = (error as { name?: unknown } | null | undefined)?.name === 'AbortError'
    tracing.fail(submission, error, isAbort ? 'abort' : 'handler')
    return reject.apply(this, args)
  }
}

/** In the worker: `messageListener(message)`. */
function receiving(original: Method): Method {
  return function (...args) {
    const worker = this as Worker
    if (!workers.has(worker)) {
      workers.add(worker)
      for (const name of ['runSync', 'runAsync'] as const) {
        if (typeof worker[name] === 'function') worker[name] = running(worker[name])
      }
    }
    return original.apply(this, args)
  }
}

/** `runSync(fn, task)` and `runAsync(fn, task)`, which each worker has of its own. */
function running(original: Runner): Runner {
  return function (this: unknown, fn, task) {
    const { tracing } = sharedPools()
    if (tracing === undefined) return Reflect.apply(original, this, [fn, task])
    const run = (data: unknown): unknown => tracing.run(task[WIRE], taskName(task.name), fn, data)
    return Reflect.apply(original, this, [run, task])
  }
}
