/** The surfacers that the program itself has made and given to `start`, or to an instrument. */
import { shared } from '../core/shared.js'
import type { Surfacer } from '../metrics/surfacer.js'

/** What is done with them. */
export interface SurfacersHere {
  add(surfacers: readonly Surfacer[]): void
  drain(): void
  end(): void
}

const state = shared('runtime.surfacers', () => ({ here: undefined as SurfacersHere | undefined }))

/** More of them, which get what is told at the process's end as well. @param make Called for the first ones. */
export function addSurfacers(surfacers: readonly Surfacer[], make: () => SurfacersHere): void {
  state.here ??= make()
  state.here.add(surfacers)
}

/** Tells them at once what has come until now. */
export function drainSurfacers(): void {
  state.here?.drain()
}

/** Tells them the rest. */
export function endSurfacers(): void {
  state.here?.end()
}
