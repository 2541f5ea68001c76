import { replace } from '../../hooks/replace-export.js'
import type { FailureNotes, FailureOrigin, PoolTracing, Submission } from '../adapter.js'
import { whoAwaits } from '../awaiting.js'
import { type Failure, openFailure } from '../failure.js'
import { notePool, readPiscina } from '../figures.js'
import { type Target, Targets } from '../target.js'
import type { Run } from '../traced-run.js'

/** The parts of Piscina's `TaskInfo` (5.1 and later) that are used here. */
interface TaskInfo {
  task: unknown
  filename: string
  name: string
  aborted: boolean
  readonly abortSignal: { readonly aborted?: unknown } | null
  readonly workerInfo: { readonly terminating: boolean; readonly destroyed: boolean } | null
  done(error: unknown, result?: unknown): void
  onAbort(listener: () => void): void
  releaseTask(): unknown
}

type TaskInfoClass = new (options: never, callback: never) => TaskInfo
type PostTask = (this: object, taskInfo: TaskInfo) => void

/** The modules of one loaded copy of Piscina. */
export interface PiscinaInternals {
  readonly taskQueue: { TaskInfo: TaskInfoClass }
  readonly workerPool: { readonly WorkerInfo: { readonly prototype: { postTask: PostTask } } }
  readonly errors: { readonly Errors: Record<string, (...args: never[]) => Error> }
}

/** Errors by which `run()` turns a task away that it has just made, without a word to the task. */
const REFUSALS = ['TaskQueueAtLimit', 'NoTaskQueueAvailable']

const method = (holder: object | undefined, name: string): boolean =>
  typeof Object.getOwnPropertyDescriptor(holder ?? {}, name)?.value === 'function'

/**
 * Whether a copy of Piscina is built the way `tracePiscinaInternals` needs. Asked of the code itself, not of a version:
 * a task is posted over a port that only pretends, and the message is looked at.
 */
export function looksAsExpected(parts: PiscinaInternals): boolean {
  try {
    const { TaskInfo } = parts.taskQueue
    const { WorkerInfo } = parts.workerPool
    const expected =
      Object.getOwnPropertyDescriptor(parts.taskQueue, 'TaskInfo')?.writable === true &&
      method(TaskInfo.prototype, 'done') &&
      method(TaskInfo.prototype, 'onAbort') &&
      method(TaskInfo.prototype, 'releaseTask') &&
      method(WorkerInfo.prototype, 'postTask') &&
      REFUSALS.every((name) => method(parts.errors.Errors, name))
    return expected && postsAsExpected(WorkerInfo.prototype.postTask)
  } catch {
    return false
  }
}

function postsAsExpected(postTask: PostTask): boolean {
  let posted: Record<string, unknown> = {}
  const port = {
    postMessage(message: Record<string, unknown>) {
      posted = message
    },
  }
  const workerInfo = {
    taskInfos: new Map(),
    terminating: false,
    destroyed: false,
    histogram: null,
    port,
    sharedBuffer: new Int32Array(new SharedArrayBuffer(8)),
    clearIdleTimeout() {},
    ref() {},
  }
  const task = {}
  const taskInfo = {
    taskId: 1,
    task,
    filename: 'file',
    name: 'name',
    transferList: [],
    releaseTask: () => task,
  }
  postTask.call(workerInfo, taskInfo as unknown as TaskInfo)
  return posted['task'] === task && posted['filename'] === 'file' && posted['name'] === 'name'
}

/**
 * Makes every pool of one copy of Piscina traced, past and future ones.
 *
 * Only the message to the worker differs: it names a file of ours as the handler's, and the task travels beside the wire
 * data. Queues, load balancers and histograms see the task as it is, and the promise of `run()` is Piscina's own: the end of
 * a task is seen where Piscina settles that promise, so no promise is added and unhandled rejections stay what they are.
 *
 * @param shim Absolute path of `task.cjs`.
 * @returns makes of `run` one that does the same, and by which it is known who waits for a task that has failed.
 */
export function tracePiscinaInternals(
  parts: PiscinaInternals,
  tracing: PoolTracing,
  shim: string,
): (run: Run) => Run {
  const targets = new Targets()
  const Base = parts.taskQueue.TaskInfo
  /** The task that `run()` made last, as long as it may still turn it away. */
  let latest: object | undefined
  /** The traced task that the running `run()` has made. */
  let made: object | undefined
  let hold: (taskInfo: object, promise: Promise<unknown>) => void
  /** Failures that wait for the microtask in which it is found out who awaits them. What is done after them waits as well. */
  let waiting = 0
  let refuse: (error: unknown) => void
  let disguise: (taskInfo: TaskInfo) => Target | undefined

  class TracedTaskInfo extends Base {
    #submission: Submission | undefined
    #target: Target | undefined
    /** What `run()` returned. */
    #promise: Promise<unknown> | undefined
    /** The outcome is there and is about to be passed on. */
    #isOver = false

    constructor(options: never, callback: never) {
      super(options, callback)
      latest = undefined
      if (typeof this.filename !== 'string' || typeof this.name !== 'string') return
      const target = targets.get(this.filename, this.name)
      const submission = tracing.submit('piscina', target.task)
      if (submission === undefined) return
      this.#target = target
      this.#submission = submission
      made = this
      if (this.abortSignal?.aborted) this.#fail(undefined, 'abort')
      else latest = this
    }

    override onAbort(listener: () => void): void {
      super.onAbort(() => {
        if (this.#isOver) return
        this.#fail(undefined, 'abort')
        listener()
      })
    }

    override done(outcome: unknown, result?: unknown): void {
      const submission = this.#submission
      const failure = outcome === null ? undefined : openFailure(outcome)
      if (failure !== undefined) {
        this.#failInWorker(failure, result)
        return
      }
      if (submission !== undefined) {
        if (outcome !== null) this.#fail(outcome, this.#originOf(outcome))
        else {
          this.#submission = undefined
          tracing.settle(submission)
        }
      }
      if (waiting === 0) super.done(outcome, result)
      else this.#later(() => super.done(outcome, result))
    }

    #failInWorker({ error, told }: Failure, result: unknown): void {
      const pass = (awaiting: string | undefined): void => {
        this.#fail(error, 'handler', { told, awaiting })
        super.done(error, result)
      }
      this.#later(pass, this.#promise)
    }

    /** Outcomes that come in one go are passed on in the order in which they came. */
    #later(pass: (awaiting: string | undefined) => void, promise?: Promise<unknown>): void {
      this.#isOver = true
      waiting++
      const use = (awaiting?: string): void => {
        waiting--
        pass(awaiting)
      }
      if (promise === undefined) queueMicrotask(use)
      else whoAwaits(promise, use)
    }

    #fail(error: unknown, origin: FailureOrigin, notes?: FailureNotes): void {
      const submission = this.#submission
      if (submission === undefined) return
      this.#submission = undefined
      tracing.fail(submission, error, origin, notes)
    }

    #originOf(error: unknown): FailureOrigin {
      const worker = this.workerInfo
      if (worker !== null) return worker.terminating || worker.destroyed ? 'pool' : 'handler'
      return error instanceof Error && error.name === 'AbortError' ? 'abort' : 'pool'
    }

    static {
      hold = (taskInfo, promise) => {
        ;(taskInfo as TracedTaskInfo).#promise = promise
      }
      refuse = (error) => {
        if (latest !== undefined) (latest as TracedTaskInfo).#fail(error, 'pool')
      }
      disguise = (taskInfo) => {
        if (latest === taskInfo) latest = undefined
        if (!(#submission in taskInfo) || taskInfo.#submission === undefined) return undefined
        const target = taskInfo.#target!
        taskInfo.task = [tracing.wire(taskInfo.#submission), taskInfo.task]
        taskInfo.filename = shim
        taskInfo.name = target.encoded
        return target
      }
    }
  }
  Object.defineProperty(TracedTaskInfo, 'name', { value: Base.name })
  parts.taskQueue.TaskInfo = TracedTaskInfo

  const { prototype } = parts.workerPool.WorkerInfo
  const { postTask } = prototype
  replace(prototype, 'postTask', function (this: object, taskInfo: TaskInfo): void {
    const target = disguise(taskInfo)
    try {
      postTask.call(this, taskInfo)
    } finally {
      if (target !== undefined) {
        taskInfo.filename = target.filename
        taskInfo.name = target.name
      }
    }
  })

  for (const name of REFUSALS) {
    const make = parts.errors.Errors[name]!
    replace(parts.errors.Errors, name, function (...args: never[]): Error {
      const error = make(...args)
      refuse(error)
      return error
    })
  }

  return (run) =>
    function (...args: unknown[]): Promise<unknown> {
      made = undefined
      notePool(this, 'piscina', readPiscina)
      const promise = run.apply(this, args)
      if (made !== undefined) hold(made, promise)
      made = undefined
      return promise
    }
}
