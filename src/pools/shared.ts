import type { PoolTracing } from './adapter.js'

/** What the copies of this code in one thread (the preload's bundle, the package's modules) have in common. */
export interface SharedPools {
  /** What worker-side files call. Undefined until this thread is set up. */
  tracing: PoolTracing | undefined
  /** Requests that are watched already, by adapter name. */
  readonly watched: Set<string>
  /** Pool classes and pools that are traced, each with what undoes it, or undefined if nothing can. */
  readonly traced: WeakMap<object, (() => void) | undefined>
}

const KEY = Symbol.for('threadspan.pools.1')

/** The state of this thread; made at the first call. */
export function sharedPools(): SharedPools {
  const holder = globalThis as { [KEY]?: SharedPools }
  let shared = holder[KEY]
  if (shared === undefined) {
    shared = { tracing: undefined, watched: new Set(), traced: new WeakMap() }
    Object.defineProperty(globalThis, KEY, { value: shared })
  }
  return shared
}

/** Sets what worker-side files call in this thread. The first one stays: the preload comes before everything else. */
export function providePoolTracing(tracing: PoolTracing): void {
  sharedPools().tracing ??= tracing
}
