import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, context as contextApi, ROOT_CONTEXT } from '@opentelemetry/api'
import { shared } from '../core/shared.js'
import { contextWithValue } from './context.js'
import { bindEmitter, isEmitter } from './emitter.js'
import { type Frames, framesOf } from './frames.js'

/** Counts the managers that were disabled, by whichever copy of this package. */
const state = shared('context.manager', () => ({ disabled: 0 }))
/** As of which count contexts are known to be managed; for this copy alone, whose API may not see what another one's sees. */
let ensuredAt = -1

type AnyFunction = (...args: unknown[]) => unknown

/** For `AsyncLocalStorage.run`, which hands on arguments but no receiver; a shared function costs no closure for each call. */
function apply<A extends unknown[], R>(fn: (...args: A) => R, thisArg: unknown, args: A): R {
  return fn.apply(thisArg, args)
}

/**
 * OpenTelemetry's `ContextManager` over one AsyncLocalStorage.
 *
 * The storage is made when a context other than the root first becomes active: on Node 20 one that ran turns `async_hooks` on
 * for the whole thread, and a program that makes no span shall not pay for it. A context is entered by `run` only, never by
 * `enterWith`: it cannot leak into the caller or into the next task of a pooled thread.
 */
export class ThreadContextManager implements ContextManager {
  #storage: AsyncLocalStorage<Context> | undefined
  #frames: Frames<Context> | undefined
  readonly #base: Context

  /** @param base What is current where nothing was entered: the context that this thread or process was started in. */
  constructor(base: Context = ROOT_CONTEXT) {
    this.#base = base
  }

  /** The current context; the thread's base where none was entered. */
  active(): Context {
    return this.#entered() ?? this.#base
  }

  /**
   * Calls `fn` with `context` as the current one, in it and in all that it starts.
   *
   * @returns what `fn` returns; what it throws is thrown.
   */
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F>
  with(context: Context, fn: AnyFunction, thisArg?: unknown, ...args: unknown[]): unknown {
    return this.apply(context, fn, thisArg, args)
  }

  /** `with`, of a list of arguments. */
  apply<A extends unknown[], R>(context: Context, fn: (...args: A) => R, thisArg: unknown, args: A): R {
    if (this.#isCurrent(context)) return fn.apply(thisArg, args)
    const storage = this.#open()
    const frames = this.#frames
    return frames === undefined
      ? storage.run(context, apply<A, R>, fn, thisArg, args)
      : frames.run(context, fn, thisArg, args)
  }

  /** `with`, of one argument: most that is called in a context is a span's function. */
  call<A, R>(context: Context, fn: (argument: A) => R, argument: A): R {
    if (this.#isCurrent(context)) return fn(argument)
    const storage = this.#open()
    const frames = this.#frames
    return frames === undefined ? storage.run(context, fn, argument) : frames.call(context, fn, argument)
  }

  #entered(): Context | undefined {
    return this.#frames === undefined ? this.#storage?.getStore() : this.#frames.current()
  }

  #isCurrent(context: Context): boolean {
    return context === (this.#storage === undefined ? this.#base : this.#entered())
  }

  #open(): AsyncLocalStorage<Context> {
    let storage = this.#storage
    if (storage === undefined) {
      storage = this.#storage = new AsyncLocalStorage()
      this.#frames = framesOf(storage)
    }
    return storage
  }

  /**
   * `target` tied to `context`: a function gives a function that runs in it (same length and name), an EventEmitter is
   * given back itself, and runs listeners added from now on in it. Anything else comes back as it is.
   */
  bind<T>(context: Context, target: T): T {
    if (typeof target === 'function')
      return this.#bindFunction(context, target as unknown as AnyFunction) as T
    if (isEmitter(target)) bindEmitter(target, (listener) => this.#bindFunction(context, listener))
    return target
  }

  /** Nothing to do: the first `with` starts it. */
  enable(): this {
    return this
  }

  /** Forgets every active context. A later `with` starts anew. */
  disable(): this {
    this.#storage?.disable()
    this.#storage = undefined
    this.#frames = undefined
    // The API forgets a manager that it disables: whoever needs one next asks again.
    state.disabled++
    return this
  }

  #bindFunction(context: Context, target: AnyFunction): AnyFunction {
    const manager = this
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return manager.apply(context, target, this, args)
    }
    try {
      Object.defineProperty(bound, 'length', { value: target.length, configurable: true })
      Object.defineProperty(bound, 'name', { value: target.name, configurable: true })
    } catch {
      // A proxy that does not say.
    }
    return bound
  }
}

/**
 * Registers a {@link ThreadContextManager} unless the application has a context manager already.
 *
 * Asks by trying one out, so that an SDK's is seen whichever copy of the API it came through, and nothing is logged.
 *
 * @returns whether contexts are managed from now on.
 */
export function ensureContextManager(): boolean {
  if (ensuredAt === state.disabled) return true
  const probe = contextWithValue(ROOT_CONTEXT, Symbol('threadspan probe'), true)
  const isManaged =
    contextApi.with(probe, () => contextApi.active() === probe) ||
    contextApi.setGlobalContextManager(new ThreadContextManager())
  if (isManaged) ensuredAt = state.disabled
  return isManaged
}
