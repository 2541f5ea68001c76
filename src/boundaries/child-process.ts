import type { ChildProcess } from 'node:child_process'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { overrideEmit } from '../hooks/override-emit.js'
import { replaceMethod } from '../hooks/replace-method.js'
import { pairsWith } from './child-environment.js'
import { noteSends } from './child-messages.js'
import { whenChildProcessLoads } from './child-process-loads.js'
import { followSync } from './child-process-sync.js'
import { type OwnPreload, ownPreload } from './own-preload.js'

export { restoreEnvironment } from './restored-environment.js'

/** How a child process ended. */
export interface ChildEnd {
  /** Null where a signal ended it, or it never started. */
  readonly exitCode: number | null
  /** As in the `exit` event: `SIGTERM`; else null. */
  readonly signal: string | null
  /** Why it never started (`ENOENT`), or why Node ended a synchronous one (`ETIMEDOUT`, `ENOBUFS`); else undefined. */
  readonly error: unknown
}

/** What crosses from a thread to the processes that it starts, and what is done when they end. */
export interface ChildBoundary {
  /** Absolute path of the CommonJS file that runs before the program of each child that is a Node process. */
  readonly preload: string
  /**
   * Called before a child is started, by `spawn`, `fork`, `exec`, `execFile` and `cluster.fork` as by the synchronous forms.
   *
   * @param child `file` and `args` as they are executed: a shell and its `-c` where there is one. `args` is without the name of the
   *   program that goes before.
   * @returns variables to add to its environment, a handle by which the other calls know the child, and what goes along with each
   *   message to it (see `child-messages.ts`); undefined to leave it alone.
   */
  open(child: {
    file: string
    args: readonly string[]
    sync: boolean
  }):
    | { env: Record<string, string>; handle: unknown; note?: (() => string | undefined) | undefined }
    | undefined
  /** The child runs. A synchronous one has ended by then, and one of `execSync` or `execFileSync` that succeeds is not told of. */
  started(handle: unknown, pid: number): void
  /** The child is gone, or never came. Called exactly once, before the application's own `exit` and `error` listeners. */
  ended(handle: unknown, end: ChildEnd): void
}

interface SpawnOptions {
  file?: unknown
  args?: unknown
  envPairs?: unknown
}

type Spawn = (this: ChildProcess, ...given: unknown[]) => unknown

/**
 * Follows every child process that this thread starts from now on. Node children get the preload through `NODE_OPTIONS`, after
 * the application's own, unless they run under the permission model, and every child the variables that {@link ChildBoundary.open} returned; {@link restoreEnvironment} takes
 * both out again. The environment of this process is not touched. Once per thread; later calls do nothing.
 */
export function followChildren(boundary: ChildBoundary): void {
  const state = shared('boundaries.children', () => ({ isFollowing: false }))
  if (state.isFollowing) return
  state.isFollowing = true
  const own = ownPreload(boundary.preload)
  whenChildProcessLoads(() => {
    const module = process.getBuiltinModule('node:child_process')
    followAsync(module.ChildProcess, boundary, own)
    followSync(module, boundary, own)
    process.getBuiltinModule('node:module').syncBuiltinESMExports()
  })
}

/** All asynchronous forms come through this one method of the class. */
function followAsync(type: typeof ChildProcess, boundary: ChildBoundary, own: OwnPreload): void {
  const prototype = type.prototype as ChildProcess & { spawn: Spawn }
  const followed = new WeakMap<ChildProcess, { handle: unknown }>()
  const end = (child: ChildProcess, how: ChildEnd): void => {
    const entry = followed.get(child)
    if (entry === undefined) return
    followed.delete(child)
    guarded('ChildBoundary.ended', () => boundary.ended(entry.handle, how))
  }

  replaceMethod<Spawn>(
    prototype,
    'spawn',
    (original) =>
      function spawn(...given) {
        const options = given[0] as SpawnOptions | null | undefined
        const opened = openSpawn(options, boundary)
        if (opened === undefined) return Reflect.apply(original, this, given)
        const { args = [], envPairs } = options as { args?: string[]; envPairs?: string[] }
        // Node reads the pairs from this very object, on which it also leaves other things for the caller.
        Reflect.set(options as object, 'envPairs', pairsWith(envPairs, opened.env, args, own))
        followed.set(this, { handle: opened.handle })
        let result: unknown
        try {
          result = Reflect.apply(original, this, given)
        } catch (error) {
          end(this, { exitCode: null, signal: null, error })
          throw error
        } finally {
          Reflect.set(options as object, 'envPairs', envPairs)
        }
        const { pid } = this
        if (pid) guarded('ChildBoundary.started', () => boundary.started(opened.handle, pid))
        const { note } = opened
        // Only a Node process knows what is Node's own on the channel.
        if (note !== undefined && isNode((options as SpawnOptions).file)) noteSends(this, note)
        return result
      },
  )

  overrideEmit(prototype as ChildProcess, (child, event, error) => {
    if (event !== 'exit' && event !== 'error') return undefined
    const { exitCode, pid, signalCode } = child
    const hasEnded = exitCode !== null || signalCode !== null
    if (event === 'exit') {
      if (hasEnded) end(child, { exitCode, signal: signalCode, error: undefined })
    } else if (pid === undefined || (exitCode !== null && exitCode < 0)) {
      // Any other error, of `kill` or of the channel, is not the child's end.
      end(child, { exitCode: null, signal: null, error })
    }
    return undefined
  })
}

function isNode(file: unknown): boolean {
  return file === process.execPath || (typeof file === 'string' && /(?:^|[\\/])node(?:\.exe)?$/.test(file))
}

/** @returns undefined where the boundary leaves the child alone, or Node is going to refuse the options, in its own words. */
function openSpawn(options: SpawnOptions | null | undefined, boundary: ChildBoundary) {
  if (typeof options !== 'object' || options === null) return undefined
  const { args, envPairs, file } = options
  if (typeof file !== 'string') return undefined
  if (args !== undefined && !Array.isArray(args)) return undefined
  if (envPairs !== undefined && !Array.isArray(envPairs)) return undefined
  const rest: readonly string[] = args === undefined ? [] : args.slice(1)
  return guarded('ChildBoundary.open', () => boundary.open({ file, args: rest, sync: false }))
}
