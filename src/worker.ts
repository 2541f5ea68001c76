/**
 * The worker's side for programs that run without the preload: importing it joins the Worker to the process that called
 * `start()`, so that spans made here arrive.
 * @module
 */
import { joinProcess } from './runtime/start.js'

export { traceChild, traceWorker, untrace, withCarrier, wrapHandler } from './boundaries/by-hand.js'
export { bind, unwrap } from './context/bind.js'
export { currentSignal, withDeadline, withSignal } from './context/deadline.js'
export { capture, Snapshot } from './context/snapshot.js'
export { withSpan } from './context/span.js'
export { currentTransaction, withTransaction } from './context/transaction.js'
export { propagate } from './context/values.js'
export { captureError } from './errors/capture.js'
export { logFields } from './logs/fields.js'
export { pinoMixin, winstonFormat } from './logs/loggers.js'
export { traceTask } from './pools/envelope.js'

joinProcess()
