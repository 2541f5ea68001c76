import { shared } from '../core/shared.js'
import { guarded } from './guarded.js'

type Emit = (this: NodeJS.Process, event: string | symbol, ...args: unknown[]) => boolean

/**
 * Sees the end of this process, after the application's own `exit` listeners have run, without a listener: `listenerCount`
 * and the listeners' order stay as they are. Covers the natural end, `process.exit()` and uncaught errors. Once per process.
 *
 * @param ended With the exit code and, when one ended the process, the uncaught error. It may block, and must not throw.
 */
export function followProcessEnd(ended: (exitCode: unknown, uncaught: unknown) => void): void {
  const state = shared('boundaries.end', () => ({ isFollowing: false }))
  if (state.isFollowing) return
  state.isFollowing = true
  let uncaught: unknown
  const own = Object.hasOwn(process, 'emit') ? (process.emit as Emit) : undefined
  Object.defineProperty(process, 'emit', {
    value: function emit(this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
      const original: Emit = own ?? Object.getPrototypeOf(process).emit
      if (event === 'uncaughtExceptionMonitor') uncaught = args[0]
      if (event !== 'exit') return original.call(this, event, ...args)
      try {
        return original.call(this, event, ...args)
      } finally {
        // Packages emit `exit` on their own to run clean-up early; only the process's own end is the end.
        if ((process as { _exiting?: boolean })._exiting === true)
          guarded('process end', () => ended(process.exitCode ?? args[0], uncaught))
      }
    },
    configurable: true,
    enumerable: false,
    writable: true,
  })
}
