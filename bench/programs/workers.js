// Workers that say one thing: how long it takes until it is heard, and how much memory they take.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { serve } from './serve.js'

const file = new URL('worker.cjs', import.meta.url)

async function start() {
  const worker = new Worker(file)
  await once(worker, 'message')
  return worker
}

async function stop(worker) {
  const ended = once(worker, 'exit')
  worker.postMessage('go')
  await ended
}

serve({
  /** Milliseconds to each one's first message. */
  async block(count) {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const begun = performance.now()
      const worker = await start()
      sum += performance.now() - begun
      await stop(worker)
    }
    return sum / count
  },

  /** MiB of resident memory for each of `count` workers that live at the same time. */
  async memory(count) {
    const workers = [await start()]
    const before = process.memoryUsage.rss()
    for (let i = 0; i < count; i++) workers.push(await start())
    const taken = process.memoryUsage.rss() - before
    for (const worker of workers) await stop(worker)
    return taken / count / 2 ** 20
  },
})
