import threads, { type Worker, type WorkerOptions } from 'node:worker_threads'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { overrideEmit } from '../hooks/override-emit.js'
import { replaceMethod } from '../hooks/replace-method.js'
import { type OwnPreload, ownPreload } from './own-preload.js'
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
   * @returns what {@link receiveHandoff} returns in its thread: anything but undefined that structured clone takes, which may hold
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

interface Envelope {
  readonly data: unknown
  readonly execArgv: readonly string[] | undefined
  readonly nodeOptions: string | undefined
}

interface Followed {
  readonly data: unknown
  error: unknown
  terminated: boolean
}

type Constructor = typeof Worker

const ENVIRONMENT_KEY = 'threadspan:handoff'

const state = shared('boundaries.workers', () => ({
  original: threads.Worker as Constructor,
  isFollowing: false,
  isReceived: false,
  handoff: undefined as unknown,
  /** Whether `process.execArgv` was replaced by the handoff: Node's own list, which Workers inherit, is then another. */
  isReplaced: false,
}))

/**
 * Follows every Worker that this thread makes from now on: the preload runs in it before its program, and what
 * {@link WorkerBoundary.open} returned awaits it there. Once per thread; later calls do nothing.
 *
 * The data travels as environment data (`setEnvironmentData`), set for the time of the constructor and taken out in the Worker's
 * preload: `workerData`, messages and `env` stay the application's, and Workers of the Worker do not inherit it.
 *
 * A left-alone Worker runs the preload too where Node hands it on by itself, and {@link receiveHandoff} tells it apart.
 */
export function followWorkers(boundary: WorkerBoundary): void {
  if (state.isFollowing) return
  state.isFollowing = true
  const { original } = state
  const own = ownPreload(boundary.preload)
  const followed = new WeakMap<Worker, Followed>()

  // A Proxy keeps name, length, prototype, statics, `instanceof`, subclasses and the error of a call without `new`.
  const followedWorker = new Proxy(original, {
    construct(target, args, newTarget) {
      const [filename, options] = args as [unknown, WorkerOptions | null | undefined]
      // What Node is going to refuse, it refuses in its own words.
      const isFile = typeof filename === 'string' || (typeof filename === 'object' && filename !== null)
      const isReadable = options === undefined || (typeof options === 'object' && options !== null)
      if (!isFile || !isReadable) return Reflect.construct(target, args, newTarget)
      const data = guarded('WorkerBoundary.open', () =>
        boundary.open({
          filename: filename as string | URL,
          name: typeof options?.name === 'string' ? options.name : undefined,
          eval: Boolean(options?.eval),
        }),
      )
      // One that is left alone gets the preload all the same where Node hands it on, and has to find it.
      if (data === undefined && !state.isReplaced && !own.stale()) {
        return Reflect.construct(target, args, newTarget)
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
    },
  })

  const { prototype } = original
  redefine(prototype, 'constructor', followedWorker)
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
  overrideEmit(prototype as Worker, (worker, event, args) => {
    if (event !== 'exit' && event !== 'error') return undefined
    const entry = followed.get(worker)
    if (entry === undefined) return undefined
    // Node takes the thread's id away before it tells of its end, so an `exit` that the application emits is none.
    const isGone = worker.threadId === -1
    if (event === 'exit') {
      if (isGone) end(worker, entry, args[0] as number)
      return undefined
    }
    entry.error = args[0]
    guarded('WorkerBoundary.errored', () => boundary.errored?.(worker, entry.data, args[0]))
    // Out of memory: `error` comes after the end, and where a listener throws, or there is none, `exit` never comes.
    return isGone ? () => end(worker, entry, 1) : undefined
  })
  redefine(threads, 'Worker', followedWorker)
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

function redefine(target: object, name: string, value: unknown): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { configurable: true, writable: true, ...descriptor, value })
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
    const isInherited = state.isReplaced && !Array.isArray(options?.execArgv)
    const envelope: Envelope = {
      data,
      execArgv: isInherited ? own.execArgv : completed.execArgv,
      nodeOptions,
    }
    // A getter in the options may make a Worker of its own while this one is under way.
    const outer = threads.getEnvironmentData(ENVIRONMENT_KEY)
    threads.setEnvironmentData(ENVIRONMENT_KEY, envelope as object as threads.Serializable)
    try {
      return Reflect.construct(target, list, newTarget as Constructor) as Worker
    } finally {
      threads.setEnvironmentData(ENVIRONMENT_KEY, outer)
    }
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

/**
 * In a Worker, to be called by the preload: takes out what the parent thread left there, and shows the program the arguments and
 * the `NODE_OPTIONS` that its parent asked for.
 *
 * @returns what {@link WorkerBoundary.open} returned for this Worker, cloned, at each call; undefined in a main thread and in a
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

/** The constructor as Node made it, for threads of our own, which are not followed. */
export function untracedWorker(): typeof Worker {
  return state.original
}
