import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { CollectorStart } from './messages.js'

/** How to start the collector thread. */
export interface CollectorProgram {
  /** Path of its program. */
  readonly collector: string
  /** The constructor for a thread that is not followed. */
  readonly worker: () => new (file: string, options: WorkerOptions) => Worker
  /** The process's environment, with what a parent process had put into it. */
  readonly env: NodeJS.ProcessEnv
}

/**
 * Starts a collector thread, which does not keep the process running and cannot end it.
 * @param on `ready`: it asks for the main thread's ring. `ended`: it is gone, with the error that ended it if one did.
 */
export function openCollector(
  { collector, worker: threadOf, env }: CollectorProgram,
  workerData: CollectorStart,
  on: { ready(): void; ended(failure: unknown): void },
): Worker {
  const Thread = threadOf()
  const worker = new Thread(collector, {
    name: 'threadspan',
    workerData,
    execArgv: [],
    argv: [],
    env,
    trackUnmanagedFds: false,
  })
  // A busy main thread sees it in the control block.
  worker.on('message', () => on.ready())
  worker.unref()
  let failure: unknown
  // The application must not end because its telemetry did.
  worker.on('error', (error) => {
    failure = error
  })
  worker.once('exit', () => {
    // Out of memory, the error comes after the end.
    setImmediate(() => on.ended(failure)).unref()
  })
  return worker
}
