import { followResult } from '../../context/settled.js'
import { guarded } from '../../hooks/guarded.js'
import { holderOf, type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { HeldTask, PoolAdapter, PoolHost } from '../adapter.js'
import { taskName } from '../task-name.js'

/** What hands tasks to workers. */
interface Farm {
  readonly _taskQueue?: object
  _callback?: unknown
}

/** Tasks by the request that is sent for them. */
const held = new WeakMap<object, HeldTask>()
/** The one that is being submitted. */
let submitted: HeldTask | undefined

/**
 * jest-worker (https://github.com/jestjs/jest), with child processes and with worker threads.
 *
 * A farm sends a task where another one has ended: it is done in the task's own context.
 */
export const jestWorker: PoolAdapter = {
  name: 'jest-worker',

  requests: ['jest-worker', './Farm'],

  loaded({ request, exports, parent }, host) {
    if (request === 'jest-worker') this.imported?.(exports as object, host)
    // Up to version 29 the class has a file of its own.
    else if (/[\\/]jest-worker[^\\/]*[\\/]/.test(parent.filename ?? '')) {
      const prototype = prototypeOf((exports as { default?: unknown } | undefined)?.default)
      if (prototype !== undefined) traceFarms(prototype, host)
    }
  },

  modules: /[\\/]jest-worker[^\\/]*[\\/]build[\\/]index\.mjs$/,

  imported(exports, host) {
    const prototype = prototypeOf((exports as { Worker?: unknown }).Worker)
    if (prototype === undefined) return
    patchMethod(
      prototype,
      '_callFunctionWithArgs',
      (original) =>
        function (...args) {
          const { _farm } = this as { _farm?: object }
          if (_farm !== undefined) traceFarms(Object.getPrototypeOf(_farm) as object, host)
          return original.apply(this, args)
        },
      'pool',
    )
  },

  accepts: () => false,
  trace() {},
  untrace() {},
}

/** `Farm.prototype.doWork(method, ...args)`. */
function traceFarms(prototype: object, { tracing }: PoolHost): void {
  const doing = (original: Method): Method =>
    function (...args) {
      guarded('jest-worker', () => follow(this as Farm))
      const task = tracing.hold('jest-worker', taskName(args[0]))
      const before = submitted
      submitted = task
      try {
        return followResult(original.apply(this, args), (failure) => {
          if (failure === undefined) task.settle()
          else task.fail(failure.error)
        })
      } catch (error) {
        task.fail(error)
        throw error
      } finally {
        submitted = before
      }
    }
  patchMethod(prototype, 'doWork', doing, 'pool')
}

function follow(farm: Farm): void {
  const { _taskQueue: queue } = farm
  const holder = queue === undefined ? undefined : holderOf(queue, 'enqueue')
  if (holder !== undefined) patchMethod(holder, 'enqueue', enqueueing, 'pool')
  patchMethod(farm, '_callback', sending, 'pool')
}

/** `enqueue(task, workerId)`, which the farm calls while a task is submitted. */
function enqueueing(original: Method): Method {
  return function (...args) {
    const request = (args[0] as { request?: unknown } | undefined)?.request
    if (submitted !== undefined && typeof request === 'object' && request !== null)
      held.set(request, submitted)
    return original.apply(this, args)
  }
}

/** `_callback(workerId, request, onStart, onEnd, onCustomMessage)`. */
function sending(original: Method): Method {
  return function (...args) {
    const [, request] = args
    const task = typeof request === 'object' && request !== null ? held.get(request) : undefined
    return task === undefined ? original.apply(this, args) : task.post(() => original.apply(this, args))
  }
}
