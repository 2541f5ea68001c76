import { shared } from '../core/shared.js'
import { guarded } from './guarded.js'

type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean

/** What is told of this process. None of it may throw. */
export interface ProcessEnd {
  /**
   * It ends, and the application's own `exit` listeners have run. It may block.
   * @param uncaught The error that ends it, where one does.
   */
  ended(exitCode: unknown, uncaught: unknown): void
  /** A listener for an event is about to be `added`, to be told of what was `heard`; or the last one was `removed`. */
  listener(event: string, change: 'added' | 'heard' | 'removed'): void
}

/**
 * Sees the end of this process, and listeners that come and go, without a listener: `listenerCount` and the listeners' order stay as
 * they are. Covers the natural end, `process.exit()` and uncaught errors. Once per process.
 *
 * @param isSignal Which events' listeners are told of.
 */
export function followProcessEnd(end: ProcessEnd, isSignal: (event: string) => boolean): void {
  const state = shared('hooks.end', () => ({ isFollowing: false }))
  if (state.isFollowing) return
  state.isFollowing = true
  let uncaught: unknown
  const own = Object.hasOwn(process, 'emit') ? (process.emit as Emit) : undefined
  Object.defineProperty(process, 'emit', {
    value: function emit(this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
      const original: Emit = own ?? Object.getPrototypeOf(process).emit
      if (event === 'uncaughtExceptionMonitor') uncaught = args[0]
      if (event !== 'exit') {
        if (
          event === 'newListener' ||
          event === 'removeListener' ||
          (typeof event === 'string' && isSignal(event))
        )
          guarded('signal listener', () => noteListeners(event, args[0], end, isSignal))
        return original.call(this, event, ...args)
      }
      try {
        return original.call(this, event, ...args)
      } finally {
        // Packages emit `exit` on their own to run clean-up early; only the process's own end is the end.
        if ((process as { _exiting?: boolean })._exiting === true)
          guarded('process end', () => end.ended(process.exitCode ?? args[0], uncaught))
      }
    },
    configurable: true,
    enumerable: false,
    writable: true,
  })
  // `--report-on-signal` and the like have listeners before anybody else.
  for (const event of process.eventNames())
    if (typeof event === 'string' && isSignal(event)) end.listener(event, 'added')
}

function noteListeners(
  event: string,
  subject: unknown,
  end: ProcessEnd,
  isSignal: (event: string) => boolean,
): void {
  if (event === 'newListener' || event === 'removeListener') {
    if (typeof subject !== 'string' || !isSignal(subject)) return
    if (event === 'newListener') end.listener(subject, 'added')
    else if (process.listenerCount(subject) === 0) end.listener(subject, 'removed')
  } else if (isSignal(event) && process.listenerCount(event) > 0) end.listener(event, 'heard')
}
