import { capture } from './snapshot.js'

const originals = new WeakMap()
/** The latest binding of each function. Weak: a function that lives on does not keep alive the request that it was bound in. */
const bindings = new WeakMap()
/**
 * `fn` tied to what is current here and now: it runs in that, whoever calls it and whenever. It keeps the receiver, the length and the name.
 *
 * Bound twice where the same is current, it is the same function; one that is bound already comes back as it is.
 */
export function bind(fn) {
  if (originals.has(fn)) return fn
  const snapshot = capture()
  const last = bindings.get(fn)
  const lastBound = last?.bound.deref()
  if (lastBound !== undefined && last.snapshot.deref()?.equals(snapshot) === true) return lastBound
  const bound = snapshot.wrap(fn)
  originals.set(bound, fn)
  bindings.set(fn, { snapshot: new WeakRef(snapshot), bound: new WeakRef(bound) })
  return bound
}
/** The function that {@link bind} was given; any other function comes back as it is. */
export function unwrap(fn) {
  return originals.get(fn) ?? fn
}
