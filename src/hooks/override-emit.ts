import type { EventEmitter } from 'node:events'

type Emit = (this: EventEmitter, event: string | symbol, ...args: unknown[]) => boolean

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
  before: (emitter: T, event: string | symbol, args: readonly unknown[]) => (() => void) | undefined,
): void {
  const own = Object.hasOwn(prototype, 'emit') ? (prototype.emit as Emit) : undefined
  Object.defineProperty(prototype, 'emit', {
    value: function emit(this: T, event: string | symbol, ...args: unknown[]): boolean {
      const original: Emit = own ?? Object.getPrototypeOf(prototype).emit
      const thrown = before(this, event, args)
      if (thrown === undefined) return original.call(this, event, ...args)
      let done = false
      try {
        const listened = original.call(this, event, ...args)
        done = true
        return listened
      } finally {
        if (!done) thrown()
      }
    },
    configurable: true,
    enumerable: false,
    writable: true,
  })
}
