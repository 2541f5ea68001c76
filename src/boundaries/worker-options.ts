import threads, { type WorkerOptions } from 'node:worker_threads'
import { absoluteNodeOptions, nodeOptionsWith } from './node-options.js'
import type { OwnPreload } from './own-preload.js'

/** A Worker's options, completed so that the preload runs in it, and what it needs to show the program what was asked for. */
export interface CompletedOptions {
  /** The options to call the constructor with: those given where nothing is missing. */
  readonly options: WorkerOptions | undefined
  /** `process.execArgv` as it has to read in the Worker, where that is not what the constructor gets less the preload. */
  readonly execArgv: readonly string[] | undefined
  /** `NODE_OPTIONS` as it has to read in the Worker, null where it has to be unset; undefined where it is right already. */
  readonly nodeOptions: string | null | undefined
}

/**
 * Completes a Worker's options. Node gives a Worker its options in one of three ways, and each has its way in for a preload:
 *
 * - neither `env` nor `execArgv`: a copy of the parent thread's options, in which the preload is unless the application loaded it
 *   by itself, or by a name that is relative to a working directory since left;
 * - an `env`: `NODE_OPTIONS` in it is parsed anew, then the parent's arguments, of which those that are for processes only are
 *   passed over;
 * - an `execArgv`: the same with these arguments, of which Node refuses those that are for processes only.
 *
 * The copy of an `env` is made as Node makes it; `options` itself is not touched, and getters in it run as they would.
 */
export function completeOptions(options: WorkerOptions | undefined, own: OwnPreload): CompletedOptions {
  const env: unknown = options?.env
  const given: unknown = options?.execArgv
  const isShared = env === threads.SHARE_ENV
  const hasEnv = typeof env === 'object' && env !== null
  const stale = own.stale()

  let execArgv: string[] | undefined
  if (Array.isArray(given)) execArgv = absoluteArguments(given, own)
  else if ((stale && own.inExecArgv) || (isShared && !own.inherited)) execArgv = [...own.execArgv]
  execArgv?.push('--require', own.path)

  let completeEnv: NodeJS.ProcessEnv | undefined
  let nodeOptions: string | null | undefined
  if (!isShared) {
    const source = (hasEnv ? env : process.env) as Record<string, unknown>
    const present = Object.hasOwn(source, 'NODE_OPTIONS') ? `${source['NODE_OPTIONS']}` : undefined
    let complete = present
    if (execArgv !== undefined) {
      if (stale && present !== undefined) complete = absoluteNodeOptions(present, own)
    } else if (hasEnv ? !own.inExecArgv : stale || !own.inherited) {
      complete = nodeOptionsWith(present, own)
    }
    if (complete !== present) {
      completeEnv = { ...source, NODE_OPTIONS: complete } as NodeJS.ProcessEnv
      nodeOptions = present ?? null
    }
  }

  if (execArgv === undefined && completeEnv === undefined) {
    return { options, execArgv: undefined, nodeOptions: undefined }
  }
  const completed = Object.create(options ?? null) as WorkerOptions
  const define = (name: keyof WorkerOptions, value: unknown) =>
    Object.defineProperty(completed, name, { value, configurable: true, enumerable: true, writable: true })
  if (execArgv !== undefined) define('execArgv', execArgv)
  if (completeEnv !== undefined) define('env', completeEnv)
  return {
    options: completed,
    execArgv: execArgv !== undefined && !Array.isArray(given) ? own.execArgv : undefined,
    nodeOptions,
  }
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
 * The arguments that a Worker accepts, after Node refused some of `completed`: those of the process (V8's flags, `--title`), which
 * hold for a Worker whether they are named or not.
 *
 * @param error what the constructor threw.
 * @returns undefined where the error is another one, or the list was the user's own.
 */
export function withoutRefused(completed: CompletedOptions, error: unknown): CompletedOptions | undefined {
  if (completed.execArgv === undefined || completed.options?.execArgv === undefined) return undefined
  const { code, message } = error as NodeJS.ErrnoException
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return undefined
  const refused = new Set(message.slice(message.indexOf(': ') + 2).split(', '))
  const execArgv = completed.options.execArgv.filter((argument) => !refused.has(argument))
  if (execArgv.length === completed.options.execArgv.length) return undefined
  const options = Object.create(completed.options, { execArgv: { value: execArgv, enumerable: true } })
  return { ...completed, options }
}
