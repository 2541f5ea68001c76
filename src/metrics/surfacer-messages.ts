/** What the telemetry thread and those who call surfacers tell each other. */
import type { SurfacerEvent } from './surfacer.js'

export type ToSurfacers =
  | { readonly events: readonly SurfacerEvent[] }
  /** To a thread of their own: milliseconds that are left until it is to be over. */
  | { readonly close: number }

export type FromSurfacers =
  /** How many events are done with. */
  | { readonly done: number }
  | { readonly failed: string; readonly message: string }
  | { readonly closed: true }

/** Name of the BroadcastChannel to the main thread's. */
export function surfacersChannel(channel: string): string {
  return `${channel}:surfacers`
}
