import threads, { type WorkerOptions } from 'node:worker_threads'
import { absoluteNodeOptions } from './node-options.js'
import type { OwnPreload } from './own-preload.js'

/** A Worker's options, completed so that the preload runs in it, and what it needs to show the program what was asked for. */
export interface CompletedOptions {
  /** The options to call the constructor with: those given where nothing is missing. */
  readonly options: WorkerOptions | undefined
  /** `process.execArgv` as it has to read in the Worker, where that is not what the constructor gets less the preload. */
  readonly execArgv: readonly string[] | undefined
  /** `NODE_OPTIONS` as it has to read in the Worker, where that is not what the constructor gets. */
  readonly nodeOptions: string | undefined
}

/** Arguments of this process that Node refuses for a Worker: V8's flags, `--title` and such, which hold for it all the same. */
const refused = new Set<string>()

/**
 * Adds the preload behind the user's own options, and before what ends them: behind an empty argument (`''.split(',')` gives one) or `--`
 * Node looks for no more.
 */
function addPreload(execArgv: string[], path: string): void {
  const end = execArgv.findIndex((argument) => argument === '' || argument === '--')
  execArgv.splice(end === -1 ? execArgv.length : end, 0, '--require', path)
}

/**
 * Completes a Worker's options. Node gives a Worker its options in one of three ways:
 *
 * - neither `env` nor `execArgv`: a copy of the parent thread's options, in which the preload is unless the application loaded it
 *   by itself, or by a name that is relative to a working directory since left;
 * - an `env`: `NODE_OPTIONS` in it is parsed anew, then the parent's arguments, of which those that are for processes only are
 *   passed over;
 * - an `execArgv`: the same with these arguments, of which Node refuses those that are for processes only.
 *
 * Where the preload is missing it is added to an `execArgv`, the user's or one that reads as the parent's. `NODE_OPTIONS` is
 * changed only where it names the preload by a path that no longer leads there: Node compares it with the parent's.
 *
 * `options` itself is not touched, and getters in it run as they would.
 */
export function completeOptions(options: WorkerOptions | undefined, own: OwnPreload): CompletedOptions {
  const env: unknown = options?.env
  const given: unknown = options?.execArgv
  const isShared = env === threads.SHARE_ENV
  const hasEnv = typeof env === 'object' && env !== null
  const stale = own.stale()

  let execArgv: string[] | undefined
  if (Array.isArray(given)) execArgv = absoluteArguments(given, own)
  else if (!own.inherited || (own.inExecArgv ? stale : hasEnv)) execArgv = ownArguments(own)
  if (execArgv !== undefined) addPreload(execArgv, own.path)

  let completeEnv: NodeJS.ProcessEnv | undefined
  let nodeOptions: string | undefined
  if (stale && !isShared) {
    const source = (hasEnv ? env : process.env) as Record<string, unknown>
    const present = Object.hasOwn(source, 'NODE_OPTIONS') ? `${source['NODE_OPTIONS']}` : ''
    const absolute = absoluteNodeOptions(present, own)
    if (absolute !== present) {
      completeEnv = { ...source, NODE_OPTIONS: absolute } as NodeJS.ProcessEnv
      nodeOptions = present
    }
  }

  if (execArgv === undefined && completeEnv === undefined) {
    return { options, execArgv: undefined, nodeOptions: undefined }
  }
  const completed = Object.create(options ?? null) as WorkerOptions
  define(completed, 'execArgv', execArgv)
  define(completed, 'env', completeEnv)
  const isOwn = execArgv !== undefined && !Array.isArray(given)
  return { options: completed, execArgv: isOwn ? own.execArgv : undefined, nodeOptions }
}

function define(options: WorkerOptions, name: keyof WorkerOptions, value: unknown): void {
  if (value === undefined) return
  Object.defineProperty(options, name, { value, configurable: true, enumerable: true, writable: true })
}

/** What a Worker with an `env` alone would have of this thread's arguments. */
function ownArguments(own: OwnPreload): string[] {
  return own.execArgv.filter((argument) => !refused.has(argument))
}

/** The user's own list may name the preload, relative to a directory that is no longer the current one. */
function absoluteArguments(list: readonly string[], own: OwnPreload): string[] {
  return list.map((argument, index) => {
    const option = list[index - 1]
    const isValue = option === '-r' || option === '--require' || option === '--import'
    return isValue && own.relative.has(argument) ? own.valueFor(option) : argument
  })
}

/**
 * Completes the options again, after Node refused arguments that were this thread's own. Node names them, and they are left out
 * from then on.
 *
 * @param error what the constructor threw.
 * @returns undefined where the error is another one, or the list is the user's own.
 */
export function completeWithoutRefused(
  options: WorkerOptions | undefined,
  own: OwnPreload,
  error: unknown,
): CompletedOptions | undefined {
  if (Array.isArray(options?.execArgv)) return undefined
  const { code, message } = error as NodeJS.ErrnoException
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return undefined
  const before = refused.size
  const names = new Set(message.slice(message.indexOf(': ') + 2).split(', '))
  for (const argument of own.execArgv) if (names.has(argument)) refused.add(argument)
  return refused.size > before ? completeOptions(options, own) : undefined
}
