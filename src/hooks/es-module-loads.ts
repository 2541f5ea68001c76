import Module from 'node:module'
import { shared, sharedInSource } from '../core/shared.js'
import type { Disable } from './channels.js'
import { guarded } from './guarded.js'

/** What is told of an ES module. */
export interface EsModuleListener {
  /** Matches the URLs of the modules that are listened for. */
  readonly file: RegExp
  /** Statements that run at the end of each, in its scope. */
  readonly code?: string
  /** Such a module is about to be loaded, also where it turns out to be CommonJS, or Node's own. A listener that this adds is told of the same module. */
  loads?(url: string): void
  /** Its code has run, and that of none who imports it has. */
  loaded?(namespace: object, url: string): void
}

interface Loaded {
  readonly format?: string | null
  readonly source?: unknown
}

type Load = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded

const NAME = 'hooks.esModules'

/** Of whichever copy of this code in the thread. */
const modules = shared(NAME, () => ({
  listeners: new Set<EsModuleListener>(),
  isWatching: false,
  /** What the modules call. */
  tell(url: string, namespace: object): void {
    for (const { file, loaded } of this.listeners)
      if (file.test(url)) guarded(url, () => loaded?.(namespace, url))
  },
}))

/**
 * Tells of ES modules of libraries, where Node shows them (`module.registerHooks`: 22.15, 24 and later): a line at the end of their source hands over
 * what they export. CommonJS, and all other modules, are as they were.
 */
export function onEsModule(listener: EsModuleListener): Disable {
  modules.listeners.add(listener)
  const { registerHooks } = Module as unknown as { registerHooks?(hooks: { load: Load }): unknown }
  if (!modules.isWatching) registerHooks?.({ load })
  modules.isWatching = true
  return () => void modules.listeners.delete(listener)
}

const load: Load = (url, context, next) => {
  const loaded = next(url, context)
  let code: string | undefined
  for (const listener of modules.listeners) {
    if (!listener.file.test(url)) continue
    code = (code ?? '') + (listener.code ?? '')
    guarded(url, () => listener.loads?.(url))
  }
  const { format, source } = loaded
  if (code === undefined || format !== 'module' || !source) return loaded
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
  const own = JSON.stringify(url)
  return {
    ...loaded,
    source: `${text}
import * as threadspanSelf from ${own};${sharedInSource(NAME)}.tell(${own},threadspanSelf);${code}`,
  }
}
