import type { Tracer } from '@opentelemetry/api'
import { shared } from '../core/shared.js'
import { type Disable, subscribe } from '../hooks/channels.js'
import type { EnableOptions, Instrumentation } from './contract.js'
import { express } from './express/names.js'
import { instrumentFastify } from './fastify.js'
import { hapi } from './hapi.js'
import { instrumentHttpClient } from './http-client.js'
import { setKnownMethods } from './http-semantics.js'
import { instrumentHttpServer, isHttpServer } from './http-server.js'
import { instrumentHttp2Client } from './http2/client.js'
import { instrumentHttp2Server, isHttp2Server } from './http2/server.js'
import { ioredis } from './ioredis.js'
import { koa } from './koa.js'
import { mysql2 } from './mysql2/index.js'
import { pg } from './pg/index.js'
import { postgres } from './postgres.js'
import { redis } from './redis.js'
import { instrumentUndici } from './undici.js'

/** Every library that is followed. */
export const INSTRUMENTATIONS: readonly Instrumentation[] = [
  { name: 'http', versions: "Node's", enable: instrumentHttp },
  { name: 'undici', versions: '5 to 8', enable: instrumentUndici },
  { name: 'fastify', versions: '5', enable: instrumentFastify },
  express,
  koa,
  hapi,
  pg,
  postgres,
  mysql2,
  ioredis,
  redis,
]

/** What {@link enableInstrumentations} takes. */
export interface InstrumentationOptions extends EnableOptions {
  /** Makes the spans. */
  readonly tracer: Tracer
  /** Names of instrumentations to leave out (`OTEL_NODE_DISABLED_INSTRUMENTATIONS`); names of others are ignored. */
  readonly disabled?: readonly string[]
  /** Method names to call known (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`); by default those of the semantic conventions. */
  readonly knownMethods?: readonly string[]
}

/** Of whichever copy of this package: a thread can be given the preloads of two installations. */
const current = shared('instrumentation', () => ({ disable: undefined as Disable | undefined }))

/**
 * Makes spans of what the libraries of the list do in this thread, and names transactions by what frameworks know. Loads none of them. Needs a
 * context manager and a propagator to be registered with the OpenTelemetry API by the time of the first request. A second call replaces
 * the first.
 *
 * @returns ends it: the instrumentation of a name, or all of them. Requests that are under way then are not followed to their end.
 */
export function enableInstrumentations(options: InstrumentationOptions): (name?: string) => void {
  current.disable?.()
  const { tracer, disabled = [], knownMethods } = options
  setKnownMethods(knownMethods)
  const undo = new Map<string, Disable>()
  for (const { name, enable } of INSTRUMENTATIONS)
    if (!disabled.includes(name)) undo.set(name, enable(tracer, options))
  const disable = (name?: string): void => {
    for (const [key, fn] of undo) {
      if (name !== undefined && key !== name) continue
      undo.delete(key)
      fn()
    }
    if (name === undefined && current.disable === disable) current.disable = undefined
  }
  current.disable = disable
  return disable
}

/**
 * Lets what the clients of databases tell over a connection that many requests share run in the context of whoever asked. It makes no
 * spans, and is of use whoever makes them. Libraries that were loaded before are not seen.
 */
export function followSharedConnections(): void {
  for (const { follow } of INSTRUMENTATIONS) follow?.()
}

/** Servers and clients of `node:http`, `node:https` and `node:http2`. */
function instrumentHttp(tracer: Tracer, { listens }: EnableOptions): Disable {
  const undo = [
    instrumentHttpServer(tracer),
    instrumentHttpClient(tracer),
    instrumentHttp2Server(tracer),
    instrumentHttp2Client(tracer),
  ]
  if (listens !== undefined) {
    undo.push(
      subscribe({
        'tracing:net.server.listen:asyncStart': ({ server }: { server: unknown }) => {
          if (isHttpServer(server) || isHttp2Server(server)) listens()
        },
      }),
    )
  }
  return () => {
    for (const fn of undo) fn()
  }
}
