import type { EventEmitter } from 'node:events'
import { shared } from '../core/shared.js'
import { guarded } from './guarded.js'
import { ownEmit } from './observe-emit.js'
import { isUnseen } from './unseen-worker.js'

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
  // Programs replace the global, too.
  const program: NodeJS.Process & { _exiting?: boolean } = process
  ownEmit(program, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      const event = args[0]
      if (event === 'worker' && isUnseen(args[1])) return false
      if (event === 'uncaughtExceptionMonitor') uncaught = args[1]
      if (event !== 'exit') {
        if (
          event === 'newListener' ||
          event === 'removeListener' ||
          (typeof event === 'string' && isSignal(event))
        )
          guarded('signal listener', () => noteListeners(event, args[1], end, isSignal))
        return original().apply(this, args)
      }
      try {
        return original().apply(this, args)
      } finally {
        // Packages emit `exit` on their own to run clean-up early; only the process's own end is the end.
        if (program._exiting === true)
          guarded('process end', () => end.ended(program.exitCode ?? args[1], uncaught))
      }
    }
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
