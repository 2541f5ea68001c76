import { isAbsolute, join } from 'node:path'
import { shared } from '../core/shared.js'
import { PRELOAD_OPTION } from './node-options.js'

/** How the preload came into this thread, and so where a Worker or a child of it gets the preload from. */
export interface OwnPreload {
  /** Absolute path of the preload. */
  readonly path: string
  /** Names under which options of this thread load the preload and which only lead to it from the first working directory. */
  readonly relative: ReadonlySet<string>
  /** What `process.execArgv` shows in this thread: without the preload. */
  readonly execArgv: readonly string[]
  /** Whether the preload is in this thread's own list of arguments, which Node hands to every Worker without an `execArgv`. */
  readonly inExecArgv: boolean
  /**
   * Whether the preload is among the modules to require that a Worker with neither `env` nor `execArgv` takes over. `--import` does
   * not count: it runs in no Worker made of a text.
   */
  readonly inherited: boolean
  /** Whether a relative name is in use and the working directory is no longer that of the start. */
  stale(): boolean
  /** What to write after `option`, one of `-r`, `--require` and `--import`. */
  valueFor(option: string): string
}

interface Argument {
  readonly value: string
  readonly from: number
  readonly length: number
}

function preloadArguments(list: readonly string[]): Argument[] {
  const found: Argument[] = []
  for (let index = 0; index < list.length; index++) {
    const match = PRELOAD_OPTION.exec(list[index]!)
    if (match === null) continue
    if (match[2] !== undefined) found.push({ value: match[2], from: index, length: 1 })
    else if (index + 1 < list.length) found.push({ value: list[++index]!, from: index - 1, length: 2 })
  }
  return found
}

function workingDirectory(): string | undefined {
  try {
    return process.cwd()
  } catch {
    // The directory was removed.
    return undefined
  }
}

/** Whether Node, given `name` as a preload in `directory`, loads the file at `path`. */
function leadsTo(name: string, path: string, directory: string | undefined): boolean {
  if (name === path) return true
  try {
    const file = name.startsWith('file:') ? process.getBuiltinModule('node:url').fileURLToPath(name) : name
    if (directory === undefined && !isAbsolute(file)) return false
    const { createRequire } = process.getBuiltinModule('node:module')
    return createRequire(join(directory ?? '/', 'preload.js')).resolve(file) === path
  } catch {
    return false
  }
}

function look(path: string): OwnPreload {
  const start = workingDirectory()
  const relative = new Set<string>()
  const isOurs = (name: string): boolean => {
    if (!leadsTo(name, path, start)) return false
    if (!isAbsolute(name) && !name.startsWith('file:')) relative.add(name)
    return true
  }
  const ours = preloadArguments(process.execArgv).filter(({ value }) => isOurs(value))
  for (const { from, length } of ours.reverse()) process.execArgv.splice(from, length)
  // The list of `--require`, from the command line, NODE_OPTIONS and the parent thread alike. A Node that no longer shows it
  // is taken to have loaded us from there, which is how a preload is meant to be loaded.
  const { _preload_modules: required } = process as { _preload_modules?: unknown }
  const inherited = !Array.isArray(required) || required.filter((name) => isOurs(String(name))).length > 0
  return {
    path,
    relative,
    execArgv: [...process.execArgv],
    inExecArgv: ours.length > 0,
    inherited,
    stale: () => relative.size > 0 && workingDirectory() !== start,
    valueFor: (option) =>
      option === '--import' ? process.getBuiltinModule('node:url').pathToFileURL(path).href : path,
  }
}

/**
 * Finds out, once per thread, how the preload came here, and takes it out of `process.execArgv`: the program sees the arguments
 * it would have without us, and what `fork` and `cluster` copy from there stays free of a path that may be relative. Children
 * get the preload through `NODE_OPTIONS`, Workers from Node's own list or from the boundary. In a Worker, `receiveHandoff` comes first: it puts
 * the list back that the parent thread asked for.
 *
 * @param path absolute path of the preload.
 */
export function ownPreload(path: string): OwnPreload {
  return shared('boundaries.preload', () => look(path))
}
