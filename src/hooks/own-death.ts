/** Calls by which a program ends or replaces its own process without an `exit` event. */
import { shared } from '../core/shared.js'
import { guarded } from './guarded.js'
import { replaceMethod } from './replace-method.js'

/** Signals whose default ends a process, and no others. */
const FATAL = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGXCPU', 'SIGKILL', 'SIGABRT'])

type Kill = typeof process.kill
type Execve = (file?: unknown, args?: unknown, env?: unknown) => never

/**
 * Sees `process.kill` with this process's own number and a signal that nobody listens to, and `process.execve`. For the main thread; once.
 * Not `process.abort`: the report that it prints shows each frame of the stack.
 *
 * @param ended With one line, before the process is killed, or is another program. It may block, and must not throw.
 */
export function followOwnDeath(ended: (reason: string, isKilled: boolean) => void): void {
  const state = shared('hooks.death', () => ({ isFollowing: false }))
  if (state.isFollowing) return
  state.isFollowing = true
  const end = (reason: string, isKilled: boolean): void => {
    guarded('own death', () => ended(reason, isKilled))
  }
  replaceMethod<Kill>(
    process,
    'kill',
    (original) =>
      function kill(this: NodeJS.Process, pid, signal) {
        const name = nameOf(signal)
        // The first process of a container lives on, whatever the signal.
        if (pid === process.pid && pid !== 1 && FATAL.has(name) && process.listenerCount(name) === 0)
          end(`process killed by ${name}`, true)
        return Reflect.apply(original, this, [pid, signal])
      } as Kill,
  )
  const { execve } = process as { execve?: Execve }
  if (typeof execve !== 'function') return
  replaceMethod<Execve>(
    process,
    'execve',
    (original) =>
      function execve(this: NodeJS.Process, ...args: [unknown?, unknown?, unknown?]) {
        if (isReplacing(...args)) end('process replaced by execve()', false)
        return Reflect.apply(original, this, args)
      } as Execve,
  )
}

function nameOf(signal: unknown): NodeJS.Signals {
  if (typeof signal === 'number') {
    const { constants } = process.getBuiltinModule('node:os')
    for (const [name, number] of Object.entries(constants.signals))
      if (number === signal) return name as NodeJS.Signals
  }
  return typeof signal === 'string' ? (signal as NodeJS.Signals) : 'SIGTERM'
}

/** Whether Node takes these arguments; else it throws, and the program goes on. */
function isReplacing(file?: unknown, args: unknown = [], env: unknown = process.env): boolean {
  const isText = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0')
  return (
    isText(file) &&
    Array.isArray(args) &&
    args.every(isText) &&
    typeof env === 'object' &&
    env !== null &&
    Object.entries(env).every(([name, value]) => isText(name) && isText(value))
  )
}
