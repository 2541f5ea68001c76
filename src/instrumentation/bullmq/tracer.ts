import type { Tracer } from '@opentelemetry/api'
import type { Destination } from '../messaging-span.js'

/** What makes the spans; undefined while nobody wants any. */
export const current: { tracer: Tracer | undefined } = { tracer: undefined }

/** A Queue, Worker or FlowProducer. */
export interface Holder {
  readonly name?: unknown
  readonly opts?: {
    readonly telemetry?: unknown
    readonly connection?: unknown
  }
}

/** Whether BullMQ makes spans of its own there. */
export function hasTelemetry({ opts }: Holder): boolean {
  return opts?.telemetry !== undefined && opts.telemetry !== null
}

/** The server is known where a connection was given as options, or as a client of ioredis. */
export function destinationOf({ opts }: Holder, name: unknown): Destination {
  const connection = opts?.connection as { readonly options?: unknown } | undefined
  const { host, port } = (connection?.options ?? connection ?? {}) as {
    readonly host?: unknown
    readonly port?: unknown
  }
  return { system: 'bullmq', name: typeof name === 'string' ? name : undefined, address: host, port }
}
