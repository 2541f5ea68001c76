import { capture } from '../context/snapshot.js'
import type { Method } from '../hooks/patch-method.js'

/** The same arguments, each function among them bound to what is current: the callbacks of a method that answers later. */
export function bindFunctions(args: unknown[]): unknown[] {
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]
    if (typeof argument === 'function') args[i] = capture().wrap(argument as never)
  }
  return args
}

/** A method whose callbacks run in the context of whoever called it. */
export function withBoundCallbacks(original: Method): Method {
  return function (...args) {
    return original.apply(this, bindFunctions(args))
  }
}
