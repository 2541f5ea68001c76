/** What the collector thread and the main thread say to each other where the application's SDK takes the spans. */
import type { BroadcastChannel } from 'node:worker_threads'
import type { Attributes } from '@opentelemetry/api'

export { HANDOVER } from '../ring/layout.js'

/** A word of the control block that all threads of a process share (see `ring/layout.ts`): how many messages with spans the main thread has taken. */
export const TAKEN = 96

/** The name of the BroadcastChannel on which spans go to the main thread. */
export function handoverChannel(channel: string): string {
  return `${channel}:sdk`
}

/** Spans on their way to the main thread. */
export interface Handover {
  /** An `ExportTraceServiceRequest`. */
  readonly request: Uint8Array
  /** The attributes of the Resource of the process itself. */
  readonly own: Attributes
}

/** Reads what arrives from outside of this thread. */
export function isHandover(message: unknown): message is Handover {
  const { request, own } = (message ?? {}) as Partial<Handover>
  return request instanceof Uint8Array && typeof own === 'object' && own !== null
}

/** Does not keep the thread running for a channel. The type definitions lag behind. */
export function unref(channel: BroadcastChannel): void {
  ;(channel as unknown as { unref(): void }).unref()
}
