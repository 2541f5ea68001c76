import { capture } from './snapshot.js';
/** What each bound function was made of. */
const parts = new WeakMap();
/** The latest binding of each function. Weak: a function that lives on does not keep alive the request that it was bound in. */
const latest = new WeakMap();
/**
 * `fn` tied to what is current here and now: it runs in that, whoever calls it and whenever. It keeps the receiver, the length and the name.
 *
 * Bound twice where the same is current, it is the same function; one that is bound already comes back as it is.
 */
export function bind(fn) {
    if (parts.has(fn))
        return fn;
    const snapshot = capture();
    const last = latest.get(fn)?.deref();
    if (last !== undefined && parts.get(last).snapshot.equals(snapshot))
        return last;
    const bound = snapshot.wrap(fn);
    parts.set(bound, { fn, snapshot });
    latest.set(fn, new WeakRef(bound));
    return bound;
}
/** The function that {@link bind} was given; any other function comes back as it is. */
export function unwrap(fn) {
    return parts.get(fn)?.fn ?? fn;
}
