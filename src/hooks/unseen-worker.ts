/** Workers of this package's own, which the program does not hear of. */
import { channel } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'

const unseen = new WeakSet<object>()

/** Makes a Worker without a word on the channel `worker_threads`. The event `worker` of `process` is kept back by who overrides its `emit`. */
export function unseenWorker(make: () => Worker): Worker {
  const created = channel('worker_threads')
  Object.defineProperty(created, 'publish', { value() {}, configurable: true })
  try {
    const worker = make()
    unseen.add(worker)
    return worker
  } finally {
    Reflect.deleteProperty(created, 'publish')
  }
}

/** Whether the program does not hear of it. */
export function isUnseen(worker: unknown): boolean {
  return unseen.has(worker as object)
}
