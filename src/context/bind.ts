import { capture, type Snapshot } from './snapshot.js'

type AnyFunction = (this: never, ...args: never[]) => unknown

const originals = new WeakMap<object, AnyFunction>()
/** The latest binding of each function. Weak: a function that lives on does not keep alive the request that it was bound in. */
const bindings = new WeakMap<
  object,
  { readonly snapshot: WeakRef<Snapshot>; readonly bound: WeakRef<AnyFunction> }
>()

/**
 * `fn` tied to what is current here and now: it runs in that, whoever calls it and whenever. It keeps the receiver, the length and the name.
 *
 * Bound twice where the same is current, it is the same function; one that is bound already comes back as it is.
 */
export function bind<F extends AnyFunction>(fn: F): F {
  if (originals.has(fn)) return fn
  const snapshot = capture()
  const last = bindings.get(fn)
  const lastBound = last?.bound.deref()
  if (lastBound !== undefined && last!.snapshot.deref()?.equals(snapshot) === true) return lastBound as F
  const bound = snapshot.wrap(fn)
  originals.set(bound, fn)
  bindings.set(fn, { snapshot: new WeakRef(snapshot), bound: new WeakRef<AnyFunction>(bound) })
  return bound
}

/** The function that {@link bind} was given; any other function comes back as it is. */
export function unwrap<F extends AnyFunction>(fn: F): F {
  return (originals.get(fn) as F | undefined) ?? fn
}
