/**
 * The worker's side for programs that run without the preload: importing it joins the Worker to the process that called
 * `start()`, so that spans made here arrive.
 * @module
 */
import { joinProcess } from './start.js'

export { bind, unwrap } from './context/bind.js'
export { capture, Snapshot } from './context/snapshot.js'
export { withSpan } from './context/span.js'
export { currentTransaction } from './context/transaction.js'
export { traceTask } from './pools/envelope.js'

joinProcess()
