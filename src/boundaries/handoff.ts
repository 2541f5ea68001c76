/** What a thread leaves for a Worker that it makes, and the Worker takes before its program. */
import threads, { type Worker } from 'node:worker_threads'
import { shared } from '../core/shared.js'

/** What travels, beside what the boundary hands over. */
export interface Envelope {
  readonly data: unknown
  readonly execArgv: readonly string[] | undefined
  readonly nodeOptions: string | undefined
}

const ENVIRONMENT_KEY = 'threadspan:handoff'

const state = shared('boundaries.workers', () => ({
  original: threads.Worker as typeof Worker,
  isReceived: false,
  handoff: undefined as unknown,
  isReplaced: false,
}))

/** Calls `make`, which makes a Worker, with the envelope as environment data: neither its messages nor its `workerData` are touched. */
export function withEnvelope<T>(envelope: Envelope, make: () => T): T {
  // A getter in the options may make a Worker of its own while this one is under way.
  const outer = threads.getEnvironmentData(ENVIRONMENT_KEY)
  threads.setEnvironmentData(ENVIRONMENT_KEY, envelope as object as threads.Serializable)
  try {
    return make()
  } finally {
    threads.setEnvironmentData(ENVIRONMENT_KEY, outer)
  }
}

/**
 * In a Worker, to be called by the preload: takes out what the parent thread left there, and shows the program the arguments and
 * the `NODE_OPTIONS` that its parent asked for.
 *
 * @returns what `WorkerBoundary.open` returned for this Worker, cloned, at each call; undefined in a main thread and in a
 *   Worker that was left alone.
 */
export function receiveHandoff(): unknown {
  if (threads.isMainThread || state.isReceived) return state.handoff
  state.isReceived = true
  const envelope = threads.getEnvironmentData(ENVIRONMENT_KEY) as Envelope | undefined
  if (envelope === undefined) return undefined
  threads.setEnvironmentData(ENVIRONMENT_KEY, undefined as unknown as threads.Serializable)
  const { data, execArgv, nodeOptions } = envelope
  if (execArgv !== undefined) {
    state.isReplaced = true
    process.execArgv.splice(0, process.execArgv.length, ...execArgv)
  }
  if (nodeOptions !== undefined) process.env['NODE_OPTIONS'] = nodeOptions
  state.handoff = data
  return data
}

/** Whether `process.execArgv` was replaced by the handoff: Node's own list, which Workers inherit, is then another. */
export function isExecArgvReplaced(): boolean {
  return state.isReplaced
}

/** The constructor as Node made it, for threads of our own, which are not followed. */
export function untracedWorker(): typeof Worker {
  return state.original
}
