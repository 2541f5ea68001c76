import type { EventEmitter } from 'node:events'

/** `EventEmitter.prototype.emit`. */
export type Emit = (this: EventEmitter, event: string | symbol, ...args: unknown[]) => boolean

/**
 * Gives one object an `emit` of its own, which is made by `wrap` around a function that finds the one to call on.
 *
 * This is how events are seen without a listener: `listenerCount`, `eventNames` and the order of the application's listeners
 * stay as they were. The property is not enumerable and can be replaced, as a method of a class. The `emit` to call on is looked
 * up at each call, so that what others patch into the class later is still called.
 */
export function ownEmit(emitter: EventEmitter, wrap: (original: () => Emit) => Emit): void {
  const own = Object.hasOwn(emitter, 'emit') ? (emitter.emit as Emit) : undefined
  const value = wrap(() => own ?? (Object.getPrototypeOf(emitter).emit as Emit))
  Object.defineProperty(emitter, 'emit', { value, configurable: true, writable: true })
}

/** Calls `before` with each event's name and first two arguments, before its listeners run. `before` must not throw. */
export function observeEmit(
  emitter: EventEmitter,
  before: (event: string | symbol, argument: unknown, second: unknown) => void,
): void {
  ownEmit(emitter, (original) => {
    // The rest of the arguments as one list that is handed on whole: the engine makes no array of it.
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      before(args[0], args[1], args[2])
      return original().apply(this, args)
    }
  })
}
