import Module from 'node:module'
import { warnOnce } from '../core/log.js'
import { replace } from '../hooks/replace-export.js'
import type { LoadedModule, PoolAdapter, PoolHost } from './adapter.js'
import { piscina } from './piscina/adapter.js'
import { providePoolTracing, sharedPools } from './shared.js'

/** Every pool library that is known. */
export const adapters: readonly PoolAdapter[] = [piscina]

interface Loader {
  _load(
    this: unknown,
    request: string,
    parent: LoadedModule['parent'] | null | undefined,
    isMain: unknown,
  ): unknown
}

/**
 * Makes the pools of every known library traced as the application loads it. Once per thread; later calls do nothing.
 *
 * The modules are seen in `Module._load`, through which the files of a CommonJS package load each other, also when the
 * application imports the package as an ES module. Every other `require` costs one look-up in a small Map.
 */
export function followPools(host: PoolHost): void {
  providePoolTracing(host.tracing)
  const { watched } = sharedPools()
  const listeners = new Map<string, PoolAdapter[]>()
  for (const adapter of adapters) {
    if (watched.has(adapter.name)) continue
    watched.add(adapter.name)
    for (const request of adapter.requests) {
      listeners.set(request, [...(listeners.get(request) ?? []), adapter])
    }
  }
  if (listeners.size === 0) return
  const loader = Module as unknown as Loader
  const load = loader._load
  replace(loader, '_load', function (this: unknown, request, parent, isMain) {
    const exports = load.call(this, request, parent, isMain)
    const interested = listeners.get(request)
    if (interested !== undefined && parent) notify(interested, { request, exports, parent }, host)
    return exports
  } as Loader['_load'])
}

function notify(interested: PoolAdapter[], module: LoadedModule, host: PoolHost): void {
  for (const adapter of interested) {
    try {
      adapter.loaded(module, host)
    } catch (error) {
      warnOnce('THREADSPAN_POOL_UNTRACED', `Pools of ${adapter.name} are not traced: ${String(error)}`)
    }
  }
}
