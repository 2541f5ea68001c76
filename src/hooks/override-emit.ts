import type { EventEmitter } from 'node:events'
import type { Emit } from './observe-emit.js'

/**
 * Sees the events of every instance of a class before their listeners run, without a listener: `listenerCount`, `eventNames` and
 * the listeners' order stay as they are, and `emit` methods of subclasses and instances are called as ever.
 *
 * @param prototype of the class; it gets an `emit` of its own, not enumerable. The `emit` it called until now is looked up at
 *   each call, so that what `node:domain` and others patch into EventEmitter later still runs.
 * @param before may return a function, which is called if a listener throws. Neither may throw.
 */
export function overrideEmit<T extends EventEmitter>(
  prototype: T,
  before: (emitter: T, event: string | symbol, argument: unknown) => (() => void) | undefined,
): void {
  const own = Object.hasOwn(prototype, 'emit') ? (prototype.emit as Emit) : undefined
  // The arguments as one list that is handed on whole: nothing iterates over them, which programs can break.
  function emit(this: T, ...args: [event: string | symbol, ...rest: unknown[]]): boolean {
    const original: Emit = own ?? Object.getPrototypeOf(prototype).emit
    const thrown = before(this, args[0], args[1])
    if (thrown === undefined) return original.apply(this, args)
    let done = false
    try {
      const listened = original.apply(this, args)
      done = true
      return listened
    } finally {
      if (!done) thrown()
    }
  }
  Object.defineProperty(emit, 'length', { value: 1 })
  Object.defineProperty(prototype, 'emit', {
    value: emit,
    configurable: true,
    enumerable: false,
    writable: true,
  })
}
