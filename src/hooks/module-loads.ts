import Module from 'node:module'
import type { Disable } from './channels.js'
import { guard } from './channels.js'

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

interface Loader {
  _load(
    this: unknown,
    request: string,
    parent: { filename?: unknown } | null | undefined,
    isMain: unknown,
  ): unknown
}

/**
 * Tells of loads of CommonJS files by the words they are asked for with. The files of a CommonJS package load each other this way
 * also when the application imports the package as an ES module. Any other `require` costs one look-up in a Map.
 */
export function onLoads(listeners: ReadonlyMap<string, OnLoad>): Disable {
  const loader = Module as unknown as Loader
  const load = loader._load
  let enabled = true
  const watching: Loader['_load'] = function _load(request, parent, isMain) {
    const exports = load.call(this, request, parent, isMain)
    const listener = listeners.get(request)
    const filename = parent?.filename
    if (listener === undefined || !enabled || typeof filename !== 'string') return exports
    let instead: unknown
    guard('module load', () => {
      instead = listener({ request, exports, parent: filename })
    })(undefined)
    return instead ?? exports
  }
  Object.defineProperty(watching, 'length', { value: load.length, configurable: true })
  loader._load = watching
  return () => {
    enabled = false
    if (loader._load === watching) loader._load = load
  }
}
