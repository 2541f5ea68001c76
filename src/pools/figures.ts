/** Pools that are in use in this thread, for whoever wants to know how large they are and what waits in them. */
import { type PoolFigures, watchPools } from '../core/pool-figures.js'
import { shared } from '../core/shared.js'

type Read = (pool: object) => { readonly workers: unknown; readonly queued: unknown }

interface Known {
  readonly pool: WeakRef<object>
  readonly name: string
  readonly read: Read
}

/** Pools that are kept in mind. */
const MOST = 1000

const pools = shared('pools.known', () => ({ known: new WeakSet<object>(), all: [] as Known[] }))
watchPools(poolFigures)

/**
 * A pool has been given a task.
 * @param read What the library tells of it by its public interface.
 */
export function notePool(pool: object, name: string, read: Read): void {
  if (pools.known.has(pool)) return
  pools.known.add(pool)
  if (pools.all.length < MOST) pools.all.push({ pool: new WeakRef(pool), name, read })
}

/** Piscina's and Tinypool's. */
export const readPiscina: Read = (pool) => {
  const { threads, queueSize } = pool as { threads?: { length?: unknown }; queueSize?: unknown }
  return { workers: threads?.length, queued: queueSize }
}

/** All of them, as they are; those of one library are told together. */
export function poolFigures(): PoolFigures[] {
  const sums = new Map<string, { workers: number; queued: number }>()
  pools.all = pools.all.filter(({ pool: reference, name, read }) => {
    const pool = reference.deref()
    if (pool === undefined) return false
    try {
      const { workers, queued } = read(pool)
      if (typeof workers !== 'number' || typeof queued !== 'number') return true
      const sum = sums.get(name) ?? { workers: 0, queued: 0 }
      sums.set(name, { workers: sum.workers + workers, queued: sum.queued + queued })
    } catch {
      // Another version's; it is left out.
    }
    return true
  })
  return [...sums].map(([pool, sum]) => ({ pool, ...sum }))
}
