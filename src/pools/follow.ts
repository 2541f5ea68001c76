import { warnOnce } from '../core/log.js'
import { onAnyLoad } from '../hooks/module-loads.js'
import type { LoadedModule, PoolAdapter, PoolHost } from './adapter.js'
import { piscina } from './piscina/adapter.js'
import { providePoolTracing, sharedPools } from './shared.js'
import { tinypool } from './tinypool/adapter.js'

/** Every pool library that is known. */
export const adapters: readonly PoolAdapter[] = [piscina, tinypool]

/**
 * Makes the pools of every known library traced as the application loads it. Once per thread; later calls do nothing.
 *
 * The modules are seen as the files of a CommonJS package load each other, also when the application imports the package as an ES module.
 */
export function followPools(host: PoolHost): void {
  providePoolTracing(host.tracing)
  const { watched } = sharedPools()
  for (const adapter of adapters) {
    if (watched.has(adapter.name)) continue
    watched.add(adapter.name)
    onAnyLoad(adapter.requests, (request, exports, parent) => {
      if (parent !== undefined) notify(adapter, { request, exports, parent }, host)
    })
  }
}

function notify(adapter: PoolAdapter, module: LoadedModule, host: PoolHost): void {
  try {
    adapter.loaded(module, host)
  } catch (error) {
    warnOnce('THREADSPAN_POOL_UNTRACED', `Pools of ${adapter.name} are not traced: ${String(error)}`)
  }
}
