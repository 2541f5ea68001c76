/** Pools by hand: the traced pool and the host that adapters work with, put together. */
import { ownFile } from '../core/own-files.js'
import { sharedPools } from '../pools/shared.js'
import { tracePool as traceWith } from '../pools/trace-pool.js'
import { poolTracing } from './task-spans.js'

export { untracePool } from '../pools/trace-pool.js'

/**
 * Makes one pool carry context into its workers, for programs that run without the preload.
 *
 * Tasks reach a handler unchanged, whether it is wrapped in `traceTask` or not; spans inside the worker are recorded where it
 * imports `threadspan/worker`.
 *
 * @param pool A pool of a library that is known: piscina, tinypool.
 * @returns The same pool. One that is traced already, by this function or by the preload, is left alone.
 * @throws ThreadspanError `THREADSPAN_POOL_UNKNOWN` if the object is no pool of a library that is known.
 */
export function tracePool<P extends object>(pool: P): P {
  return traceWith(pool, {
    tracing: sharedPools().tracing ?? poolTracing(),
    folder: ownFile('pools'),
  })
}
