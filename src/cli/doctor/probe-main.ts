import { Worker } from 'node:worker_threads'
import { withSpan } from '../../context/span.js'

/** The program that `threadspan doctor` traces. */
await withSpan('doctor main', async () => {
  const worker = new Worker(new URL('./probe-worker.js', import.meta.url))
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
})
