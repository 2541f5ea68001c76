import type { Worker, WorkerOptions } from 'node:worker_threads'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { overrideEmit } from '../hooks/override-emit.js'
import { replaceMethod } from '../hooks/replace-method.js'
import { isExecArgvReplaced, untracedWorker, withEnvelope } from './handoff.js'
import { type OwnPreload, ownPreload } from './own-preload.js'
import { constructWorkersBy } from './worker-class.js'
import { type CompletedOptions, completeOptions, completeWithoutRefused } from './worker-options.js'

/** How a Worker's thread ended. */
export interface WorkerEnd {
  /** As in the `exit` event. */
  readonly exitCode: number
  /** What the `error` event told, where an error ended the thread; else undefined. */
  readonly error: unknown
  /** Whether `terminate()` was called before it ended. */
  readonly terminated: boolean
}

/** What crosses from a thread to the Workers that it makes, and what is done when they end. */
export interface WorkerBoundary {
  /** Absolute path of the CommonJS file that runs in each Worker before its program. */
  readonly preload: string
  /**
   * Called before a Worker is made.
   *
   * @returns what `receiveHandoff` returns in its thread: anything but undefined that structured clone takes, which may hold
   *   SharedArrayBuffers. Undefined leaves the Worker alone.
   */
  open(worker: { filename: string | URL; name: string | undefined; eval: boolean }): unknown
  /** The Worker exists. */
  created(worker: Worker, data: unknown): void
  /** An error has ended it. Called before the application's own `error` listeners. */
  errored?(worker: Worker, data: unknown, error: unknown): void
  /** Its thread is gone. Called exactly once, before the application's own `exit` listeners. */
  ended(worker: Worker, data: unknown, end: WorkerEnd): void
  /** The constructor threw: `data` will not be used. */
  failed(data: unknown, error: unknown): void
}

interface Followed {
  readonly data: unknown
  error: unknown
  terminated: boolean
}

type Constructor = typeof Worker

const state = shared('boundaries.workerThreads', () => ({ isFollowing: false }))

/**
 * Follows every Worker that this thread makes from now on: the preload runs in it before its program, and what
 * {@link WorkerBoundary.open} returned awaits it there. Once per thread; later calls do nothing.
 *
 * The data travels as environment data (`setEnvironmentData`), set for the time of the constructor and taken out in the Worker's
 * preload: `workerData`, messages and `env` stay the application's, and Workers of the Worker do not inherit it.
 *
 * A left-alone Worker runs the preload too where Node hands it on by itself, and `receiveHandoff` tells it apart.
 */
export function followWorkers(boundary: WorkerBoundary): void {
  if (state.isFollowing) return
  state.isFollowing = true
  const own = ownPreload(boundary.preload)
  const followed = new WeakMap<Worker, Followed>()

  constructWorkersBy((target, args, newTarget) => {
    const [filename, options] = args as [unknown, WorkerOptions | null | undefined]
    // What Node is going to refuse, it refuses in its own words.
    const isFile = typeof filename === 'string' || (typeof filename === 'object' && filename !== null)
    const isReadable = options === undefined || (typeof options === 'object' && options !== null)
    if (!isFile || !isReadable) return make(target, args, newTarget)
    const data = guarded('WorkerBoundary.open', () =>
      boundary.open({
        filename: filename as string | URL,
        name: typeof options?.name === 'string' ? options.name : undefined,
        eval: Boolean(options?.eval),
      }),
    )
    // One that is left alone gets the preload all the same where Node hands it on, and has to find it.
    if (data === undefined && !isExecArgvReplaced() && !own.stale()) {
      return make(target, args, newTarget)
    }
    let worker: Worker
    try {
      worker = construct(target, args, newTarget, data, own)
    } catch (error) {
      if (data !== undefined) guarded('WorkerBoundary.failed', () => boundary.failed(data, error))
      throw error
    }
    if (data === undefined) return worker
    followed.set(worker, { data, error: undefined, terminated: false })
    guarded('WorkerBoundary.created', () => boundary.created(worker, data))
    return worker
  })

  const { prototype } = untracedWorker()
  replaceMethod<Worker['terminate']>(
    prototype,
    'terminate',
    (original) =>
      function terminate(this: Worker, ...args) {
        const entry = followed.get(this)
        if (entry !== undefined) entry.terminated = true
        return Reflect.apply(original, this, args)
      },
  )
  const end = (worker: Worker, entry: Followed, exitCode: number): void => {
    followed.delete(worker)
    const { data, error, terminated } = entry
    guarded('WorkerBoundary.ended', () => boundary.ended(worker, data, { exitCode, error, terminated }))
  }
  overrideEmit(prototype as Worker, (worker, event, argument) => {
    if (event !== 'exit' && event !== 'error') return undefined
    const entry = followed.get(worker)
    if (entry === undefined) return undefined
    // Node takes the thread's id away before it tells of its end, so an `exit` that the application emits is none.
    const isGone = worker.threadId === -1
    if (event === 'exit') {
      if (isGone) end(worker, entry, argument as number)
      return undefined
    }
    entry.error = argument
    guarded('WorkerBoundary.errored', () => boundary.errored?.(worker, entry.data, argument))
    // Out of memory: `error` comes after the end, and where a listener throws, or there is none, `exit` never comes.
    return isGone ? () => end(worker, entry, 1) : undefined
  })
}

function make(target: Constructor, args: unknown[], newTarget: unknown): Worker {
  return Reflect.construct(target, args, newTarget as Constructor) as Worker
}

function construct(
  target: Constructor,
  args: unknown[],
  newTarget: unknown,
  data: unknown,
  own: OwnPreload,
): Worker {
  const attempt = (completed: CompletedOptions): Worker => {
    const { nodeOptions, options } = completed
    const list = options === args[1] ? args : [args[0], options, ...args.slice(2)]
    const isInherited = isExecArgvReplaced() && !Array.isArray(options?.execArgv)
    const execArgv = isInherited ? own.execArgv : completed.execArgv
    return withEnvelope({ data, execArgv, nodeOptions }, () => make(target, list, newTarget))
  }
  const completed = completeOptions(args[1] as WorkerOptions | undefined, own)
  try {
    return attempt(completed)
  } catch (error) {
    const accepted = completeWithoutRefused(args[1] as WorkerOptions | undefined, own, error)
    if (accepted === undefined) throw error
    return attempt(accepted)
  }
}
