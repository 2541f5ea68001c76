import { adapters } from './follow.js';
/** Error of a wrong argument; `code` is `THREADSPAN_POOL_UNKNOWN`. */
export class UnknownPoolError extends TypeError {
    code = 'THREADSPAN_POOL_UNKNOWN';
}
/**
 * Makes one pool carry context into its workers, for programs that run without the preload.
 *
 * Tasks reach a handler unchanged, whether it is wrapped in `traceTask` or not; what is recorded in the worker depends on
 * what is set up there (the preload, or an import of `threadspan/worker`).
 *
 * @returns The same pool. One that is traced already, by this function or by the preload, is left alone.
 * @throws UnknownPoolError if the object is no pool of a library that is known.
 */
export function tracePool(pool, host) {
    const adapter = typeof pool === 'object' && pool !== null && adapters.find((each) => each.accepts(pool));
    if (!adapter) {
        const known = adapters.map(({ name }) => name).join(', ');
        throw new UnknownPoolError(`tracePool() takes a pool of one of these libraries: ${known}`);
    }
    adapter.trace(pool, host);
    return pool;
}
/** Undoes `tracePool`. @returns The same pool; one that was not traced by `tracePool` is left alone. */
export function untracePool(pool) {
    for (const adapter of adapters)
        adapter.untrace(pool);
    return pool;
}
