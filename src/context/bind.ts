import { ThreadspanError } from '../core/errors.js'
import { shared } from '../core/shared.js'
import { bindEventTarget, isEventTarget, unbindEventTarget } from './bind-event-target.js'
import { bindIteration, isAsyncIteration, originalIteration } from './bind-iterator.js'
import { type BindListener, bindEmitter, isEmitter, unbindEmitter } from './emitter.js'
import { capture, type Snapshot } from './snapshot.js'

type AnyFunction = (this: never, ...args: never[]) => unknown

const { parts, latest } = shared('context.functions', () => ({
  /** What each bound function was made of. */
  parts: new WeakMap<object, { readonly fn: AnyFunction; readonly snapshot: Snapshot }>(),
  /** The latest binding of each function. Weak: a function that lives on does not keep alive the request that it was bound in. */
  latest: new WeakMap<object, WeakRef<AnyFunction>>(),
}))

/**
 * `target` tied to what is current here and now: it runs in that, whoever calls it and whenever.
 *
 * - A function gives a function with the same receiver, length and name. Bound twice where the same is current, it is the same function;
 *   one that is bound already comes back as it is.
 * - An EventEmitter (a stream, a socket) and an EventTarget (an AbortSignal, a MessagePort) are given back themselves: listeners
 *   that are added from now on are bound, and are found by their originals when they are taken out. Bound again elsewhere, later listeners follow
 *   the later call.
 * - An asynchronous iterator or iterable gives one whose steps run in what is current now, while its consumer stays where it is.
 *
 * Timers need none of it: they run in what was current when they were set.
 *
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` for anything else.
 */
export function bind<T extends AnyFunction | object>(target: T): T {
  if (typeof target === 'function') return bindFunction(target as AnyFunction) as T
  if (isEmitter(target)) bindEmitter(target, listenerBinder())
  else if (isEventTarget(target)) bindEventTarget(target, listenerBinder())
  else if (isAsyncIteration(target)) {
    if (originalIteration(target) !== undefined) return target
    const snapshot = capture()
    return bindIteration(target, (fn) => snapshot.run(fn))
  } else {
    throw new ThreadspanError(
      'THREADSPAN_INVALID_ARGUMENT',
      'bind() takes a function, an EventEmitter, an EventTarget or an asynchronous iterator',
    )
  }
  return target
}

function bindFunction(fn: AnyFunction): AnyFunction {
  if (parts.has(fn)) return fn
  const snapshot = capture()
  const last = latest.get(fn)?.deref()
  if (last !== undefined && parts.get(last)!.snapshot.equals(snapshot)) return last
  const bound = snapshot.wrap(fn)
  parts.set(bound, { fn, snapshot })
  latest.set(fn, new WeakRef<AnyFunction>(bound))
  return bound
}

function listenerBinder(): BindListener {
  const snapshot = capture()
  // One that the application has bound itself stays as it is.
  return (listener) => (parts.has(listener) ? listener : snapshot.wrap(listener as never))
}

/**
 * What {@link bind} was given: of a bound function or iterator the original. An EventEmitter or EventTarget is given back itself, and does not
 * bind listeners any more; those that it has stay bound. Anything else comes back as it is.
 */
export function unwrap<T extends AnyFunction | object>(target: T): T {
  if (typeof target === 'function') return (parts.get(target)?.fn as T | undefined) ?? target
  const original = originalIteration(target)
  if (original !== undefined) return original as T
  if (isEmitter(target)) unbindEmitter(target)
  else if (isEventTarget(target)) unbindEventTarget(target)
  return target
}
