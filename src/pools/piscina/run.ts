import { imitate } from '../../hooks/replace-export.js'
import type { FailureOrigin, PoolHost } from '../adapter.js'
import { awaitingFrames } from '../awaiting.js'
import { pack } from '../envelope.js'
import { openFailure } from '../failure.js'
import { type Target, Targets } from '../target.js'

/** What of a Piscina pool is public and used here. */
interface Pool {
  readonly options?: {
    readonly filename?: unknown
    readonly name?: unknown
    readonly taskQueue?: object
    readonly loadBalancer?: unknown
  }
}

interface RunOptions {
  readonly transferList?: unknown
  readonly filename?: unknown
  readonly name?: unknown
  readonly signal?: unknown
}

export type Run = (this: Pool, ...args: unknown[]) => Promise<unknown>

const TRANSFERABLE = Symbol.for('Piscina.transferable')
const VALUE = Symbol.for('Piscina.valueOf')
const QUEUE_OPTIONS = Symbol.for('Piscina.queueOptions')

const OWN_QUEUES = new Set(['ArrayTaskQueue', 'FixedQueue'])

/** Result of `Piscina.move()`: what shall be sent, and what of it is to be transferred. */
interface Movable {
  readonly [VALUE]: unknown
  readonly [TRANSFERABLE]: unknown
}

/** The mark of `Piscina.move()` is a symbol that Piscina does not share, so it is known by its description. */
function isMovable(task: unknown): task is Movable {
  return (
    typeof task === 'object' &&
    task !== null &&
    TRANSFERABLE in task &&
    VALUE in task &&
    Object.getOwnPropertySymbols(task).some(({ description }) => description === 'Piscina.kMovable')
  )
}

/** What `run()` will do with valid arguments, or undefined where it is going to reject them: it shall do so itself. */
function planOf(
  pool: Pool,
  options: unknown,
  targets: Targets,
): { options: RunOptions; target: Target } | undefined {
  if (options !== undefined && (typeof options !== 'object' || options === null)) return undefined
  const given = { ...(options as RunOptions | undefined) }
  const { transferList, signal } = given
  const filename = given.filename ?? pool.options?.filename
  const name = given.name ?? pool.options?.name ?? 'default'
  if (transferList !== undefined && !Array.isArray(transferList)) return undefined
  if (signal !== undefined && typeof signal !== 'object') return undefined
  if (typeof filename !== 'string' || typeof name !== 'string') return undefined
  try {
    return { options: given, target: targets.get(filename, name) }
  } catch {
    return undefined
  }
}

function isWatched({ options }: Pool, task: unknown): boolean {
  if (options?.loadBalancer !== undefined) return true
  if (options?.taskQueue !== undefined && !OWN_QUEUES.has(options.taskQueue.constructor.name)) return true
  return typeof task === 'object' && task !== null && QUEUE_OPTIONS in task
}

const originOf = (error: unknown): FailureOrigin => {
  if (!(error instanceof Error)) return 'handler'
  if (error.name === 'AbortError') return 'abort'
  return error.name === 'DataCloneError' ? 'pool' : 'handler'
}

/**
 * A `run()` that carries context, by public means: the task goes out in an envelope to a handler of ours, which takes it out
 * and calls the real one. The receiver of an envelope thus always comes with its sender, and a handler can never be given
 * one, whether it knows of tracing or not.
 *
 * What differs from the original: the promise is one that follows Piscina's, a microtask later; and load balancers read our file under
 * `filename` and `name`. (Task queues see the task as it was submitted: `piscina-queue.ts`.)
 *
 * @param shim Absolute path of `task.cjs`.
 */
export function tracedRun(run: Run, { tracing }: PoolHost, shim: string, targets = new Targets()): Run {
  const traced = function (this: Pool, ...args: unknown[]): Promise<unknown> {
    const plan = planOf(this, args[1], targets)
    const submission = plan && tracing.submit('piscina', plan.target.task)
    if (submission === undefined) return run.apply(this, args)
    let { options, target } = plan!
    let [task] = args
    if (isMovable(task)) {
      const list = (options.transferList as unknown[] | undefined) ?? []
      options = { ...options, transferList: list.concat(task[TRANSFERABLE]) }
      task = task[VALUE]
    }
    const envelope = pack(tracing.wire(submission), task, isWatched(this, task))
    return run.call(this, envelope, { ...options, filename: shim, name: target.encoded }).then(
      (result) => {
        tracing.settle(submission)
        return result
      },
      (outcome: unknown) => {
        const failure = openFailure(outcome)
        if (failure === undefined) {
          tracing.fail(submission, outcome, originOf(outcome))
          throw outcome
        }
        const { error, told } = failure
        tracing.fail(submission, error, 'handler', { told, awaiting: awaitingFrames() })
        throw error
      },
    )
  }
  return imitate(traced, run)
}
