import Module from 'node:module'
import { shared } from '../core/shared.js'
import type { Disable } from './channels.js'
import { guard } from './channels.js'
import { replaceMethod } from './replace-method.js'

/** The CommonJS file that asks for another. */
export interface LoadingModule {
  readonly filename: string | null
  require(request: string): unknown
}

/** A file of a CommonJS package, seen when another file of that package, or the application, asks for it. */
export interface Loaded {
  /** What was asked for: `./client`, `pg-pool`. */
  readonly request: string
  readonly exports: unknown
  /** Absolute path of the file that asked. */
  readonly parent: string
}

/** Called at each load, also of what has been loaded before; gives what the asking file is to get instead, or undefined. */
export type OnLoad = (loaded: Loaded) => unknown

/** The same for any load; `parent` is undefined where no file asked. Must not throw. */
export type OnAnyLoad = (request: string, exports: unknown, parent: LoadingModule | undefined) => unknown

type Load = (
  this: unknown,
  ...args: [request: string, parent?: LoadingModule | null, ...rest: unknown[]]
) => unknown

/** Of whichever copy of this code in the thread: the loader is gone around once. */
const loads = shared('hooks.loads', () => ({
  listeners: new Map<unknown, Set<OnAnyLoad>>(),
  /** How many loads are under way. */
  depth: 0,
  /** What to call when the load that is under way has ended. */
  ended: [] as (() => void)[],
  restore: undefined as Disable | undefined,
}))

/**
 * Calls `listener` after each load of one of `requests`. The files of a CommonJS package load each other this way also when the application
 * imports the package as an ES module. Any other `require` costs one look-up in a Map.
 *
 * A listener that adds another one for the same request has that one called as well. The loader is as it was when nobody listens any more.
 */
export function onAnyLoad(requests: Iterable<string>, listener: OnAnyLoad): Disable {
  const names = [...requests]
  const { listeners } = loads
  for (const name of names) {
    const those = listeners.get(name)
    if (those === undefined) listeners.set(name, new Set([listener]))
    else those.add(listener)
  }
  if (names.length > 0) loads.restore ??= watch()
  return () => {
    for (const name of names) {
      const those = listeners.get(name)
      those?.delete(listener)
      if (those?.size === 0) listeners.delete(name)
    }
    if (listeners.size > 0) return
    loads.restore?.()
    loads.restore = undefined
  }
}

/** Tells of loads of CommonJS files by other files, by the words they are asked for with. */
export function onLoads(listeners: ReadonlyMap<string, OnLoad>): Disable {
  return onAnyLoad(listeners.keys(), (request, exports, parent) => {
    const filename = parent?.filename
    if (typeof filename !== 'string') return undefined
    let instead: unknown
    guard('module load', () => {
      instead = listeners.get(request)?.({ request, exports, parent: filename })
    })(undefined)
    return instead
  })
}

/** Calls `fn` when the innermost load that is under way has ended; in a microtask where none is. Needs somebody to listen to loads. */
export function afterLoad(fn: () => void): void {
  loads.ended.push(fn)
  if (loads.depth === 0) queueMicrotask(finish)
}

function finish(): void {
  for (const fn of loads.ended.splice(0)) fn()
}

function watch(): Disable {
  const loader = Module as unknown as { _load: Load }
  let isWatching = true
  const original = replaceMethod<Load>(
    loader,
    '_load',
    (original) =>
      function (...args) {
        if (!isWatching) return Reflect.apply(original, this, args)
        let exports: unknown
        loads.depth++
        try {
          exports = Reflect.apply(original, this, args)
        } finally {
          loads.depth--
          if (loads.ended.length > 0) finish()
        }
        const those = loads.listeners.get(args[0])
        return those === undefined ? exports : tell(those, exports, args[0], args[1] ?? undefined)
      },
  )
  const load = loader._load
  return () => {
    isWatching = false
    // Whoever put a function of theirs over it goes on calling it, and it calls on.
    if (loader._load === load) loader._load = original
  }
}

function tell(
  listeners: ReadonlySet<OnAnyLoad>,
  exports: unknown,
  request: string,
  parent: LoadingModule | undefined,
): unknown {
  let result = exports
  for (const listener of listeners) result = listener(request, result, parent) ?? result
  return result
}
