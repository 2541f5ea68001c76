import { imitate } from '../hooks/replace-export.js'
import type { FailureOrigin, PoolHost } from './adapter.js'
import { awaitingFrames } from './awaiting.js'
import { pack } from './envelope.js'
import { openFailure } from './failure.js'
import { notePool, readPiscina } from './figures.js'
import { type Target, Targets } from './target.js'

/** What of a pool is public and used here. */
interface Pool {
  readonly options?: {
    readonly filename?: unknown
    readonly name?: unknown
    readonly taskQueue?: object
    readonly loadBalancer?: unknown
    /** Tinypool's. */
    readonly runtime?: unknown
  }
}

interface RunOptions {
  readonly transferList?: unknown
  readonly filename?: unknown
  readonly name?: unknown
  readonly signal?: unknown
}

export type Run = (this: Pool, ...args: unknown[]) => Promise<unknown>

/** What is its own of a library of Piscina's kind. */
export interface Kind {
  /** Its npm name. */
  readonly pool: string
  /** How the symbols begin by which it marks tasks: `Piscina`. */
  readonly symbols: string
  /** Names of the classes of its own task queues. */
  readonly queues: readonly string[]
}

/** What a library's `move()` gives: what shall be sent, and what of it is to be transferred. */
interface Moved {
  readonly value: unknown
  readonly transferable: unknown
}

/** The symbols by which a library marks tasks. */
class Marks {
  readonly queueOptions: symbol
  private readonly transferable: symbol
  private readonly value: symbol
  private readonly movable: string

  constructor({ symbols }: Kind) {
    this.queueOptions = Symbol.for(`${symbols}.queueOptions`)
    this.transferable = Symbol.for(`${symbols}.transferable`)
    this.value = Symbol.for(`${symbols}.valueOf`)
    this.movable = `${symbols}.kMovable`
  }

  /** The mark of `move()` is a symbol that is not shared, so it is known by its description. */
  moved(task: unknown): Moved | undefined {
    if (typeof task !== 'object' || task === null) return undefined
    if (!(this.transferable in task) || !(this.value in task)) return undefined
    if (!Object.getOwnPropertySymbols(task).some(({ description }) => description === this.movable))
      return undefined
    const { [this.value]: value, [this.transferable]: transferable } = task as Record<symbol, unknown>
    return { value, transferable }
  }
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
  const filename = pathOf(given.filename ?? pool.options?.filename)
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

function pathOf(filename: unknown): unknown {
  return filename instanceof URL && filename.protocol === 'file:' ? filename.href : filename
}

function isWatched({ options }: Pool, task: unknown, { queues }: Kind, marks: Marks): boolean {
  if (options?.loadBalancer !== undefined) return true
  if (options?.taskQueue !== undefined && !queues.includes(options.taskQueue.constructor.name)) return true
  return typeof task === 'object' && task !== null && marks.queueOptions in task
}

const originOf = (error: unknown): FailureOrigin => {
  if (!(error instanceof Error)) return 'handler'
  if (error.name === 'AbortError' || error.name === 'CancelError') return 'abort'
  return error.name === 'DataCloneError' ? 'pool' : 'handler'
}

/**
 * A `run()` that carries context, by public means: the task goes out in an envelope to a handler of ours, which takes it out
 * and calls the real one. The receiver of an envelope thus always comes with its sender, and a handler can never be given
 * one, whether it knows of tracing or not.
 *
 * What differs from the original: the promise is one that follows the pool's, a microtask later; and load balancers read our file under
 * `filename` and `name`. (Task queues see the task as it was submitted: `queue.ts`.)
 *
 * @param shim Absolute path of the library's `task.cjs`.
 */
export function tracedRun(
  run: Run,
  kind: Kind,
  { tracing }: PoolHost,
  shim: string,
  targets = new Targets(),
): Run {
  const marks = new Marks(kind)
  const traced = function (this: Pool, ...args: unknown[]): Promise<unknown> {
    notePool(this, kind.pool, readPiscina)
    const plan = planOf(this, args[1], targets)
    const submission = plan && tracing.submit(kind.pool, plan.target.task)
    if (submission === undefined) return run.apply(this, args)
    let { options, target } = plan!
    let [task] = args
    const moved = marks.moved(task)
    if (moved !== undefined) {
      const list = (options.transferList as unknown[] | undefined) ?? []
      options = { ...options, transferList: list.concat(moved.transferable) }
      task = moved.value
    }
    const wire = tracing.wire(submission, this.options?.runtime === 'child_process')
    const envelope = pack(wire, task, isWatched(this, task, kind, marks))
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
