import { warnOnce } from '../core/log.js'
import { onEsModule } from '../hooks/es-module-loads.js'
import { onAnyLoad } from '../hooks/module-loads.js'
import type { PoolAdapter, PoolHost } from './adapter.js'
import { jestWorker } from './jest-worker/adapter.js'
import { piscina } from './piscina/adapter.js'
import { poolifier } from './poolifier/adapter.js'
import { sharedPools } from './shared.js'
import { tinypool } from './tinypool/adapter.js'
import { workerpool } from './workerpool/adapter.js'

/** Every pool library that is known. */
export const adapters: readonly PoolAdapter[] = [piscina, tinypool, workerpool, poolifier, jestWorker]

/**
 * Makes the pools of every known library traced as the application loads it. Once per thread; later calls do nothing.
 *
 * The modules are seen as the files of a CommonJS package load each other, also when the application imports the package as an ES module; ES modules
 * of their own where Node can show them.
 */
export function followPools(host: PoolHost): void {
  const { watched } = sharedPools()
  for (const adapter of adapters) {
    if (watched.has(adapter.name)) continue
    watched.add(adapter.name)
    onAnyLoad(adapter.requests, (request, exports, parent) => {
      if (parent !== undefined) notify(adapter, () => adapter.loaded({ request, exports, parent }, host))
    })
    const { modules } = adapter
    if (modules === undefined) continue
    onEsModule({
      file: modules,
      loaded: (exports) => notify(adapter, () => adapter.imported?.(exports, host)),
    })
  }
}

function notify(adapter: PoolAdapter, follow: () => void): void {
  try {
    follow()
  } catch (error) {
    warnOnce('THREADSPAN_POOL_UNTRACED', `Pools of ${adapter.name} are not traced: ${String(error)}`)
  }
}
