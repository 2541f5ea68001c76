import { shared } from '../core/shared.js'
import type { PoolTracing } from './adapter.js'

/** What the copies of this code in one thread have in common. `handlers.cts` reads it too. */
export interface SharedPools {
  /** What worker-side files call. Undefined until this thread is set up. */
  tracing: PoolTracing | undefined
  /** Adapters that watch modules being loaded already, by name. */
  readonly watched: Set<string>
  /** Pool classes and pools that are traced, each with what undoes it, or undefined if nothing can. */
  readonly traced: WeakMap<object, (() => void) | undefined>
}

/** The state of this thread. */
export function sharedPools(): SharedPools {
  return shared<SharedPools>('pools.current', () => ({
    tracing: undefined,
    watched: new Set(),
    traced: new WeakMap(),
  }))
}

/** Sets what worker-side files call in this thread. The first one stays: the preload comes before everything else. */
export function providePoolTracing(tracing: PoolTracing): void {
  sharedPools().tracing ??= tracing
}
