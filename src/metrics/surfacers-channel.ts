import type { SurfacerEvent } from './surfacer.js'

/** Name of the BroadcastChannel on which a main thread is told what its surfacers are to be told. */
export function surfacersChannel(channel: string): string {
  return `${channel}:surfacers`
}

/** What goes there, and what comes back. */
export interface ToSurfacers {
  readonly events: readonly SurfacerEvent[]
}
export interface FromSurfacers {
  /** How many of them are done with. */
  readonly done: number
}
