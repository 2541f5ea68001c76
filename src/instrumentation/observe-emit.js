/**
 * Gives one object an `emit` of its own, which `around` is called through.
 *
 * This is how events are seen without a listener: `listenerCount`, `eventNames` and the order of the application's listeners
 * stay as they were. The property is not enumerable and can be replaced, as a method of a class. The `emit` to call on is looked
 * up at each call, so that what others patch into the class later is still called.
 */
export function ownEmit(emitter, around) {
  const own = Object.hasOwn(emitter, 'emit') ? emitter.emit : undefined
  Object.defineProperty(emitter, 'emit', {
    value: function emit(event, ...args) {
      return around(own ?? Object.getPrototypeOf(emitter).emit, event, args)
    },
    configurable: true,
    enumerable: false,
    writable: true,
  })
}
/** Calls `before` with each event's name and first argument, before its listeners run. `before` must not throw. */
export function observeEmit(emitter, before) {
  ownEmit(emitter, (original, event, args) => {
    before(event, args[0])
    return original.call(emitter, event, ...args)
  })
}
