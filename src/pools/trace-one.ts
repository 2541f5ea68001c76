import type { PoolHost } from './adapter.js'
import { type QueuedPool, showSubmitted } from './queue.js'
import { sharedPools } from './shared.js'
import { Targets } from './target.js'
import { type Kind, type Run, tracedRun } from './traced-run.js'

/**
 * Makes one pool of Piscina's kind traced, by a `run` of its own. A pool that is traced already stays as it is.
 *
 * @param shim absolute path of the library's `task.cjs`.
 */
export function traceOne(pool: object, kind: Kind, host: PoolHost, shim: string): void {
  const { traced } = sharedPools()
  if (traced.has(pool)) return
  const holder = pool as { run: Run }
  const before = Object.getOwnPropertyDescriptor(pool, 'run')
  const targets = new Targets()
  const queue = (pool as QueuedPool).options?.taskQueue
  // Nobody looks into one of the library's own.
  if (queue !== undefined && !kind.queues.includes(queue.constructor.name))
    showSubmitted(queue, targets, shim)
  const run = tracedRun(holder.run, kind, host, shim, targets)
  Object.defineProperty(pool, 'run', { value: run, writable: true, configurable: true, enumerable: false })
  traced.set(pool, () => {
    // Whoever replaced `run` after us keeps what they did.
    if (holder.run !== run) return
    if (before === undefined) Reflect.deleteProperty(pool, 'run')
    else Object.defineProperty(pool, 'run', before)
  })
}

/** Undoes {@link traceOne}. */
export function untraceOne(pool: object): void {
  const { traced } = sharedPools()
  traced.get(pool)?.()
  traced.delete(pool)
}
