/**
 * What a pool adapter is, and what it asks for.
 *
 * An adapter knows how one pool library moves a task from the submitting thread to a worker and its outcome back. It knows
 * nothing of spans: what happens at each step is the `PoolTracing` it is handed. `test/contract/` holds every adapter to
 * the same cases.
 */
import type { LoadingModule } from '../hooks/module-loads.js'

/** A task that was submitted under tracing. Opaque to adapters; theirs to hold until it is settled. */
export type Submission = object

/**
 * Why a task failed.
 * - `handler`: the task's own code threw or rejected, in the worker.
 * - `pool`: the pool did not run it to its end: a full queue, a value that cannot be cloned, a worker that died.
 * - `abort`: the submitter gave it up through an AbortSignal, or the pool was closed over it.
 */
export type FailureOrigin = 'handler' | 'pool' | 'abort'

/** What is known of a failure beside its error. */
export interface FailureNotes {
  /** What `tell` returned in the worker. */
  readonly told: unknown
  /** The asynchronous functions that wait for the outcome, as lines of a stack; undefined where there is none. */
  readonly awaiting: string | undefined
}

/** A task of a pool that posts messages, from its submission on. Neither method throws on its own account. */
export interface HeldTask {
  /**
   * Runs what posts the task, whenever the pool does it, in what was current at the submission, below the task's span. The message carries it.
   * @throws what `fn` throws.
   */
  post<T>(fn: () => T): T
  /** The task succeeded. Called instead of `fail`, once. */
  settle(): void
  /** The task failed. Called instead of `settle`, once. */
  fail(error: unknown): void
}

/**
 * The steps of a task's life, called by adapters. None of them throws on its own account; `run` throws and returns what the
 * handler does.
 */
export interface PoolTracing {
  /**
   * In the submitting thread and in the submitter's context, once for each task.
   * @param pool npm name of the pool library.
   * @param task Short name of what will run, as spans show it.
   * @returns undefined when there is nothing to carry; the task then goes out untouched.
   */
  submit(pool: string, task: string): Submission | undefined
  /**
   * The same for pools that post messages to Workers and child processes which the preload follows: a message carries what is current where it is
   * posted, and the worker's side needs nothing of its own.
   */
  hold(pool: string, task: string): HeldTask
  /**
   * When the task is posted to a worker, at most once for each submission.
   * @param isProcess Whether the worker is a process of its own.
   * @returns What the worker needs, small and structured-cloneable; never undefined.
   */
  wire(submission: Submission, isProcess?: boolean): unknown
  /** The task succeeded. Called instead of `fail`, once. */
  settle(submission: Submission): void
  /**
   * The task failed. Called instead of `settle`, once, whether the task had been posted or not.
   * @param error What the submitter gets to see; undefined where the adapter cannot know it.
   * @param notes Undefined where the worker has told nothing.
   */
  fail(submission: Submission, error: unknown, origin: FailureOrigin, notes?: FailureNotes): void
  /**
   * In the worker: calls the handler once, with `this` undefined, in the context that was carried.
   * @param wire What `wire` returned in the submitting thread; undefined or unknown content gives the root context.
   * @returns What the handler returns; a thenable may come back as a promise of the same outcome.
   * @throws What the handler throws.
   */
  run<I, O>(wire: unknown, task: string, handler: (input: I) => O, input: I): O
  /**
   * In the worker: what `fail` shall know of an error that `run` threw or rejected with. It travels beside the error, which stays
   * as it is.
   * @returns Bounded and structured-cloneable; undefined for nothing.
   */
  tell(error: unknown): unknown
}

/** What an adapter works with. */
export interface PoolHost {
  readonly tracing: PoolTracing
  /** Absolute path of the folder that holds the adapters' worker-side files (`dist/pools`). */
  readonly folder: string
}

/** A CommonJS module that has just been loaded. */
export interface LoadedModule {
  /** The request as the requiring file spells it. */
  readonly request: string
  readonly exports: unknown
  /** The file that asked for it. */
  readonly parent: LoadingModule
}

/** One pool library. */
export interface PoolAdapter {
  /** Its npm name; spans and diagnostics call it by this. */
  readonly name: string
  /** Requests by which the library's own files load the modules that the adapter wants to see. */
  readonly requests: readonly string[]
  /**
   * A module was loaded by one of `requests`; it can be anybody's. Makes every pool of that copy of the library traced, by
   * its internals where they look as expected and otherwise by its public interface. Never throws.
   */
  loaded(module: LoadedModule, host: PoolHost): void
  /** Matches the library's ES modules whose exports the adapter wants to see; only later Nodes can show them. */
  readonly modules?: RegExp
  /** Such a module was loaded. Does what `loaded` does. Never throws. */
  imported?(exports: object, host: PoolHost): void
  /** Whether the object is a pool of this library, of any version and copy. */
  accepts(pool: object): boolean
  /** Makes one pool traced through its public interface. A pool that is traced already stays as it is. */
  trace(pool: object, host: PoolHost): void
  /** Undoes `trace`. Pools of a copy that `loaded` made traced stay traced. */
  untrace(pool: object): void
}
