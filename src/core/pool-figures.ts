import { shared } from './shared.js'

/** What is to be known of the pools of one library. */
export interface PoolFigures {
  /** npm name of the library. */
  readonly pool: string
  /** Workers, and tasks that wait for one. */
  readonly workers: number
  readonly queued: number
}

/** Of this thread: who follows pools is loaded with the first one, who measures with the first measurement. */
const source = shared('core.poolFigures', () => ({ read: undefined as (() => PoolFigures[]) | undefined }))

export function watchPools(read: () => PoolFigures[]): void {
  source.read = read
}

/** Of all pools of this thread; none where none is followed. */
export function readPools(): PoolFigures[] {
  return source.read?.() ?? []
}
