/** Sees files of frameworks as they are loaded, and those that have been loaded before. */
import { shared, sharedInSource } from '../../core/shared.js'
import type { Disable } from '../../hooks/channels.js'
import { onEsModule } from '../../hooks/es-module-loads.js'
import { guarded } from '../../hooks/guarded.js'
import { exportsOfLoaded } from '../../hooks/loaded-files.js'
import { onAnyLoad } from '../../hooks/module-loads.js'
import { inFolder } from '../libraries.js'
import type { Framework } from './libraries.js'

type AnyFunction = (...args: never[]) => unknown
/** What goes around a function of a library. */
type Around = (original: AnyFunction) => AnyFunction

/** Calls `see` with what each copy of a framework's files exports, in whichever form it is loaded or has been. */
export function onExports(
  { files = [], folder, module }: Framework,
  see: (exports: object) => void,
): Disable {
  const seen = (exports: unknown): void => {
    if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return
    guarded('framework', () => see(exports))
  }
  for (const exports of exportsOfLoaded(module)) seen(exports)
  const isBelow = folder === undefined ? undefined : inFolder(folder)
  const undo = [
    onAnyLoad(files, (_request, exports, parent) => {
      if (isBelow?.test(parent?.filename ?? '') ?? true) seen(exports)
      return undefined
    }),
    onEsModule({ file: module, loaded: seen }),
  ]
  return () => {
    for (const fn of undo) fn()
  }
}

const NAME = 'instrumentation.functions'

/** What goes around functions. */
const functions = shared(NAME, () => ({
  /** By the names that ES modules declare them by. */
  around: new Map<string, Around>(),
  /** What has been put around one: once, however often an instrumentation is enabled. */
  wrapped: new WeakSet<object>(),
  /** What the modules call. */
  wrap(name: string, original: unknown): unknown {
    return typeof original === 'function'
      ? (this.around.get(name)?.(original as AnyFunction) ?? original)
      : original
  },
}))

/**
 * Goes around functions that a framework's files export. In ES modules the functions themselves are replaced, in CommonJS what the files export.
 *
 * @param names by name; a name belongs to one framework.
 */
export function aroundFunctions(framework: Framework, names: Readonly<Record<string, Around>>): Disable {
  const { wrapped } = functions
  const once =
    (around: Around): Around =>
    (original) => {
      if (wrapped.has(original)) return original
      const instead = around(original)
      wrapped.add(instead)
      return instead
    }
  const all = Object.entries(names).map(([name, around]) => [name, once(around)] as const)
  for (const [name, around] of all) functions.around.set(name, around)
  // Not every file declares each of them.
  const code = all
    .map(([name]) => `try{${name}=${sharedInSource(NAME)}.wrap(${JSON.stringify(name)},${name})}catch{}`)
    .join('')
  const undo = [
    onExports(framework, (exports) => {
      for (const [name, around] of all) {
        const descriptor = Object.getOwnPropertyDescriptor(exports, name)
        const original: unknown = descriptor?.value
        if (typeof original !== 'function' || descriptor?.configurable === false) continue
        const instead = around(original as AnyFunction)
        if (instead !== original) Object.defineProperty(exports, name, { ...descriptor, value: instead })
      }
    }),
    onEsModule({ file: framework.module, code }),
  ]
  return () => {
    for (const fn of undo) fn()
    for (const [name] of all) functions.around.delete(name)
  }
}
