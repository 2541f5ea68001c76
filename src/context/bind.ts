import { capture, type Snapshot } from './snapshot.js'

type AnyFunction = (this: never, ...args: never[]) => unknown

/** What each bound function was made of. */
const parts = new WeakMap<object, { readonly fn: AnyFunction; readonly snapshot: Snapshot }>()
/** The latest binding of each function. Weak: a function that lives on does not keep alive the request that it was bound in. */
const latest = new WeakMap<object, WeakRef<AnyFunction>>()

/**
 * `fn` tied to what is current here and now: it runs in that, whoever calls it and whenever. It keeps the receiver, the length and the name.
 *
 * Bound twice where the same is current, it is the same function; one that is bound already comes back as it is.
 */
export function bind<F extends AnyFunction>(fn: F): F {
  if (parts.has(fn)) return fn
  const snapshot = capture()
  const last = latest.get(fn)?.deref()
  if (last !== undefined && parts.get(last)!.snapshot.equals(snapshot)) return last as F
  const bound = snapshot.wrap(fn)
  parts.set(bound, { fn, snapshot })
  latest.set(fn, new WeakRef<AnyFunction>(bound))
  return bound
}

/** The function that {@link bind} was given; any other function comes back as it is. */
export function unwrap<F extends AnyFunction>(fn: F): F {
  return (parts.get(fn)?.fn as F | undefined) ?? fn
}
