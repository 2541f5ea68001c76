import { parentPort } from 'node:worker_threads'
import { withSpan } from '../../context/span.js'

withSpan('doctor worker', () => {})
parentPort?.postMessage('done')
// Kept alive, so that it does not end by itself but is terminated.
setInterval(() => {}, 1000)
