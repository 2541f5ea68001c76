/**
 * Context propagation and tracing for worker threads, child processes and pools.
 * @module
 */
export {
  type HandlerOptions,
  traceChild,
  traceWorker,
  untrace,
  withCarrier,
  wrapHandler,
} from './boundaries/by-hand.js'
export { bind, unwrap } from './context/bind.js'
export { type Carrier, carrierFromEnv, carrierToEnv } from './context/carrier.js'
export { currentSignal, withDeadline, withSignal } from './context/deadline.js'
export { capture, Snapshot } from './context/snapshot.js'
export { type NamedSpanOptions, withSpan } from './context/span.js'
export { currentTransaction, type TransactionOptions, withTransaction } from './context/transaction.js'
export { propagate, type ValueOptions } from './context/values.js'
export { counters } from './core/counters.js'
export { isThreadspanError, ThreadspanError } from './core/errors.js'
export { Bind, type BindDecorator } from './decorators/bind.js'
export {
  Offload,
  type OffloadDecorator,
  type OffloadOptions,
  type OffloadPool,
} from './decorators/offload.js'
export { Span, type SpanDecorator } from './decorators/span.js'
export type { TracedDecorator, TracedOptions } from './decorators/traced.js'
export {
  Transaction,
  type TransactionDecorator,
  type TransactionDecoratorOptions,
} from './decorators/transaction.js'
export { captureError } from './errors/capture.js'
export { type FollowErrorsOptions, followErrors } from './errors/follow.js'
export { type LogFields, type LogFormat, type LogOptions, logFields } from './logs/fields.js'
export { pinoMixin, type WinstonFormat, winstonFormat } from './logs/loggers.js'
export type { Measurement, TransactionScope } from './metrics/measurement.js'
export { Counter, Gauge, Histogram, type NamedOptions } from './metrics/named.js'
export type { Surfacer } from './metrics/surfacer.js'
export type { SignalAccounts, SpanAccounts } from './ring/accounts.js'
export { accounts, flush, type StartOptions, start } from './runtime/start.js'
export { tracePool, untracePool } from './runtime/trace-pool.js'
export { handSpansTo } from './sdk/processors.js'
export { HttpSurfacer, type HttpSurfacerOptions } from './surfacers/http.js'
export { LogSurfacer, type LogSurfacerOptions } from './surfacers/log.js'
export { type Flushed, InMemorySurfacer } from './surfacers/memory.js'
