/**
 * Context propagation and tracing for worker threads, child processes and pools.
 * @module
 */
export { bind, unwrap } from './context/bind.js'
export { type Carrier, carrierFromEnv, carrierToEnv } from './context/carrier.js'
export { capture, Snapshot } from './context/snapshot.js'
export { type NamedSpanOptions, withSpan } from './context/span.js'
export { currentTransaction, type Transaction, withTransaction } from './context/transaction.js'
export { propagate, type ValueOptions } from './context/values.js'
export { counters } from './core/counters.js'
export { isThreadspanError, ThreadspanError } from './core/errors.js'
export { tracePool, untracePool } from './pools.js'
export { flush, start } from './start.js'
