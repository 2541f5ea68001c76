type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean

/** As what `process` tells of errors that nobody catches. */
const EVENTS = new Set<string | symbol>(['uncaughtExceptionMonitor', 'unhandledRejection'])

/**
 * Calls `begin` when an error comes up that nobody catches, before it is told of: whoever watches from then on sees it.
 *
 * @returns ends it.
 */
export function whenErrorIsStray(begin: () => void): () => void {
  const own = Object.hasOwn(process, 'emit') ? (process.emit as Emit) : undefined
  let isWaiting = true
  const emit: Emit = function emit(event, ...args) {
    const call = (fn: Emit): boolean => Reflect.apply(fn, this, [event, ...args])
    if (isWaiting && EVENTS.has(event)) {
      isWaiting = false
      begin()
      // Through whatever was put there meanwhile, which calls on to here.
      if (process.emit !== emit) return call(process.emit as Emit)
    }
    return call(own ?? Object.getPrototypeOf(process).emit)
  }
  Object.defineProperty(process, 'emit', {
    value: emit,
    configurable: true,
    enumerable: false,
    writable: true,
  })
  return () => {
    isWaiting = false
    if (process.emit !== emit) return
    if (own === undefined) Reflect.deleteProperty(process, 'emit')
    else
      Object.defineProperty(process, 'emit', {
        value: own,
        configurable: true,
        enumerable: false,
        writable: true,
      })
  }
}
