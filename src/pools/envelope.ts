import { imitate } from '../hooks/replace-export.js'
import { sharedPools } from './shared.js'

/**
 * A task with the wire data of its submission, for pools whose messages cannot be had at. The worker's side opens it; user
 * code never gets to see one.
 */
interface Envelope {
  readonly 'threadspan.wire': unknown
  readonly 'threadspan.task': unknown
}

/**
 * Packs a task.
 * @param inherit Whether code on this side of the thread looks at the task between here and the worker (a task queue, a load
 * balancer): it then finds the task's properties on the envelope. Structured clone copies own properties only.
 */
export function pack(wire: unknown, task: unknown, inherit: boolean): Envelope {
  if (!inherit || typeof task !== 'object' || task === null) {
    return { 'threadspan.wire': wire, 'threadspan.task': task }
  }
  const enumerable = { enumerable: true, configurable: true, writable: true }
  return Object.create(task, {
    'threadspan.wire': { ...enumerable, value: wire },
    'threadspan.task': { ...enumerable, value: task },
  })
}

function isEnvelope(message: unknown): message is Envelope {
  return typeof message === 'object' && message !== null && Object.hasOwn(message, 'threadspan.wire')
}

/**
 * Makes a task handler that runs in the context its task was submitted in. For workers without the preload.
 *
 * A plain task, from a pool that is not traced or by a direct call, goes to the handler as it is.
 *
 * @param handler Called with the task and the receiver of the call; other arguments are handed on.
 * @returns A function of the same name and length.
 */
export function traceTask<T, A extends unknown[], R>(
  handler: (this: T, ...args: A) => R,
): (this: T, ...args: A) => R {
  const traced = function (this: T, ...args: A): R {
    const message: unknown = args[0]
    if (!isEnvelope(message)) return handler.apply(this, args)
    const rest = args.slice(1)
    const call = (input: unknown): R => handler.apply(this, [input, ...rest] as unknown as A)
    const { tracing } = sharedPools()
    const task = message['threadspan.task']
    if (tracing === undefined) return call(task)
    return tracing.run(message['threadspan.wire'], handler.name || 'task', call, task)
  }
  return imitate(traced, handler)
}
