import { ThreadspanError } from '../core/errors.js'
import type { PoolHost } from './adapter.js'
import { adapters } from './follow.js'

/**
 * Makes one pool carry context into its workers, for programs that run without the preload.
 *
 * Tasks reach a handler unchanged, whether it is wrapped in `traceTask` or not; what is recorded in the worker depends on
 * what is set up there (the preload, or an import of `threadspan/worker`).
 *
 * @returns The same pool. One that is traced already, by this function or by the preload, is left alone.
 * @throws ThreadspanError `THREADSPAN_POOL_UNKNOWN` if the object is no pool of a library that is known.
 */
export function tracePool<P extends object>(pool: P, host: PoolHost): P {
  const adapter = typeof pool === 'object' && pool !== null && adapters.find((each) => each.accepts(pool))
  if (!adapter) {
    const known = adapters.map(({ name }) => name).join(', ')
    const message = `tracePool() takes a pool of one of these libraries: ${known}`
    throw new ThreadspanError('THREADSPAN_POOL_UNKNOWN', message)
  }
  adapter.trace(pool, host)
  return pool
}

/** Undoes `tracePool`. @returns The same pool; one that was not traced by `tracePool` is left alone. */
export function untracePool<P extends object>(pool: P): P {
  for (const adapter of adapters) adapter.untrace(pool)
  return pool
}
