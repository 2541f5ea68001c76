import threads from 'node:worker_threads'
import type { Carrier } from '../context/carrier.js'
import { capture } from '../context/snapshot.js'
import { ThreadspanError } from '../core/errors.js'
import { ownFile } from '../core/own-files.js'
import { shared } from '../core/shared.js'
import type { AnyMethod } from '../hooks/imitate.js'
import { imitate } from '../hooks/imitate.js'
import { apply, type Place, type PlaceContext } from './apply.js'
import { callerFile } from './caller-file.js'
import { DefaultName } from './class-name.js'

/** What of a pool is needed: Piscina's and Tinypool's `run`, which takes another file and export for a single task. */
export interface OffloadPool {
  run(task: never, options?: { filename?: string; name?: string }): Promise<unknown>
}

/** How a method runs in a pool. */
export interface OffloadOptions<Self = unknown, State = unknown> {
  /**
   * URL or absolute path of the module that exports the class; by default the file in which `@Offload(...)` stands. To be given
   * (`import.meta.url`) where decorators are applied by a helper in another file.
   */
  readonly module?: string | URL
  /** Name under which the module exports the class; by default the class's own name, or `default`. */
  readonly export?: string
  /** Instance methods only: what crosses in the place of `this`. Called in the submitting thread. */
  readonly state?: (self: Self) => State
  /** Instance methods only: makes `this` in the worker of what `state` gave, as structured clone left it. */
  readonly revive?: (state: State) => Self
}

/** A decorator of methods that return a promise, in both forms. */
export interface OffloadDecorator<Self = unknown> {
  <This extends Self, A extends unknown[], R extends Promise<unknown>>(
    method: (this: This, ...args: A) => R,
    context: PlaceContext<'method'>,
  ): (this: This, ...args: A) => R
  <F extends (...args: never[]) => Promise<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F> | void
}

/** The message to the worker. */
export interface OffloadedCall {
  readonly module: string
  readonly export: string | undefined
  readonly owner: string
  /** The subclass on which a static method was called; undefined for the class that declares it. */
  readonly receiver: string | undefined
  readonly method: string
  readonly isStatic: boolean
  readonly state: unknown
  readonly args: readonly unknown[]
  /** What is current where the method was called, for pools that carry nothing themselves. */
  readonly carrier: Carrier
}

interface Offloaded {
  readonly original: AnyMethod
  readonly revive: ((state: unknown) => unknown) | undefined
}

/** `src/decorators/offloaded.cts`, which runs in the worker, reads it. */
const state = shared('decorators.offload', () => ({
  /** Whether this thread runs offloaded methods: a call in there is a plain call. */
  isWorker: false,
  methods: new WeakMap<object, Offloaded>(),
}))

/**
 * Decorates an async method so that it runs in a pool. The worker imports the module of the class and calls the method there, by
 * name, so the class has to be exported. Arguments and result cross by structured clone; an instance method needs `state` and `revive`.
 * Called inside of such a worker, it is a plain call.
 *
 * A call that cannot be made is refused with a ThreadspanError: `THREADSPAN_OFFLOAD_PLACE` (private, symbol-named or no method;
 * `state` and `revive` missing), `THREADSPAN_OFFLOAD_CLONE` (an argument, the state or the result), `THREADSPAN_OFFLOAD_NOT_FOUND`
 * (module, class or method). What the method itself throws comes as the pool hands it over.
 *
 * @param pool one whose `run(task, { filename, name })` runs another file than its own (Piscina, Tinypool), or a function that gives
 *   it: the worker imports the module as well, and shall not make a pool there.
 */
export function Offload<Self = unknown, State = unknown>(
  pool: OffloadPool | (() => OffloadPool),
  options: OffloadOptions<Self, State> = {},
): OffloadDecorator<Self> {
  const at = options.module ?? callerFile(Offload)
  const decorator = (...applied: unknown[]): unknown =>
    apply('@Offload', applied, {
      replace: (fn, place) => offloadedMethod(fn, place, pool, at, options as OffloadOptions),
    })
  return decorator as OffloadDecorator<Self>
}

function offloadedMethod(
  fn: AnyMethod,
  place: Place,
  pool: OffloadPool | (() => OffloadPool),
  at: string | URL | undefined,
  options: OffloadOptions,
): AnyMethod {
  const defaultName = new DefaultName(place)
  const method = imitate(async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    if (state.isWorker && !threads.isMainThread) return fn.apply(this, args)
    const name = defaultName.of(this, method)
    const call = callOf(this, place, name, at, options, args)
    const target = typeof pool === 'function' ? pool() : pool
    try {
      return await target.run(call as never, { filename: ownFile('decorators/offloaded.cjs'), name })
    } catch (error) {
      throw refusal(error, name)
    }
  }, fn)
  state.methods.set(method, { original: fn, revive: options.revive as Offloaded['revive'] })
  return method
}

function callOf(
  self: unknown,
  { key, isStatic, isPrivate }: Place,
  name: string,
  at: string | URL | undefined,
  options: OffloadOptions,
  args: unknown[],
): OffloadedCall {
  if (isPrivate || typeof key === 'symbol') {
    throw new ThreadspanError(
      'THREADSPAN_OFFLOAD_PLACE',
      `${name} cannot be called by name in a worker; give it a public one`,
    )
  }
  if (!isStatic && (options.state === undefined || options.revive === undefined)) {
    throw new ThreadspanError(
      'THREADSPAN_OFFLOAD_PLACE',
      `${name} is an instance method: @Offload needs state and revive to make its object in the worker`,
    )
  }
  if (at === undefined) {
    throw new ThreadspanError(
      'THREADSPAN_OFFLOAD_NOT_FOUND',
      `The module of ${name} is unknown: give @Offload its module`,
    )
  }
  const owner = name.slice(0, Math.max(0, name.length - key.length - 1))
  return {
    module: String(at),
    export: options.export,
    owner,
    receiver: isStatic ? receiverOf(self, key, name) : undefined,
    method: key,
    isStatic,
    state: isStatic ? undefined : options.state!(self),
    args,
    carrier: capture().toCarrier({ clone: true }),
  }
}

/** The name of a class that inherits the static method that was called on it. */
function receiverOf(self: unknown, key: string, name: string): string | undefined {
  if (typeof self !== 'function' || Object.hasOwn(self, key)) return undefined
  if (self.name !== '') return self.name
  throw new ThreadspanError(
    'THREADSPAN_OFFLOAD_PLACE',
    `${name} was called on a class without a name, which cannot be found in a worker`,
  )
}

/** What the caller gets to see of an error that a pool rejected with. */
function refusal(error: unknown, name: string): unknown {
  const { cause, name: kind, message = '', stack } = (error ?? {}) as Partial<Error>
  // One that comes from a worker has lost its name on some versions of Node.
  if (kind === 'DataCloneError' || stack?.startsWith('DataCloneError: ') === true) {
    return new ThreadspanError('THREADSPAN_OFFLOAD_CLONE', `${name}: ${message}`, { cause: error })
  }
  if (!(error instanceof Error) && isBare(error)) {
    const message = `${name}: what it returned, or threw, cannot be cloned`
    return new ThreadspanError('THREADSPAN_OFFLOAD_CLONE', message, { cause: error })
  }
  // Pools hand errors over by structured clone, which keeps `cause` and loses `code`.
  if (cause === 'THREADSPAN_OFFLOAD_NOT_FOUND') return new ThreadspanError(cause, message, { cause: error })
  return error
}

/** What is left on Node 20 of the DataCloneError that a worker sends. */
function isBare(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Reflect.ownKeys(error).length === 0
}
