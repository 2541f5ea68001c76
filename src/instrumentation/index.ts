import type { Tracer } from '@opentelemetry/api'
import { shared } from '../core/shared.js'
import { type Disable, subscribe } from '../hooks/channels.js'
import { type OnLoad, onLoads } from '../hooks/module-loads.js'
import { expressLoads } from './express/names.js'
import { instrumentFastify } from './fastify.js'
import { instrumentHttpClient } from './http-client.js'
import { setKnownMethods } from './http-semantics.js'
import { instrumentHttpServer, isHttpServer } from './http-server.js'
import { instrumentHttp2Client } from './http2/client.js'
import { instrumentHttp2Server, isHttp2Server } from './http2/server.js'
import { mysql2Loads } from './mysql2/context.js'
import { pgLoads } from './pg/context.js'
import { instrumentUndici } from './undici.js'

/** What can be left out, by OpenTelemetry's names for it. `http` is servers and clients of `node:http`, `node:https` and `node:http2`. */
export type InstrumentationName = 'http' | 'undici' | 'fastify' | 'express'

/** What {@link enableInstrumentations} takes. */
export interface InstrumentationOptions {
  /** Makes the spans. */
  readonly tracer: Tracer
  /** Names of instrumentations to leave out (`OTEL_NODE_DISABLED_INSTRUMENTATIONS`); names of others are ignored. */
  readonly disabled?: readonly string[]
  /** Method names to call known (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`); by default those of the semantic conventions. */
  readonly knownMethods?: readonly string[]
  /** Called when an HTTP server begins to listen: there will be spans. Must not throw. */
  readonly listens?: () => void
}

/** Of whichever copy of this package: a thread can be given the preloads of two installations. */
const current = shared('instrumentation', () => ({ disable: undefined as Disable | undefined }))

/**
 * Follows HTTP servers and clients, `fetch`, undici, Fastify and Express in this thread, by what they publish on `node:diagnostics_channel`;
 * Express, which tells too little there, by its files as they are loaded. Loads none of them. Needs a context manager and a propagator to be registered with the OpenTelemetry API by the time of the first
 * request. A second call replaces the first.
 *
 * @returns a function that ends it. Requests that are under way then are not followed to their end.
 */
export function enableInstrumentations(options: InstrumentationOptions): Disable {
  current.disable?.()
  const { tracer, disabled = [], knownMethods, listens } = options
  setKnownMethods(knownMethods)
  const undo: Disable[] = []
  if (!disabled.includes('http')) {
    undo.push(instrumentHttpServer(tracer), instrumentHttpClient(tracer))
    undo.push(instrumentHttp2Server(tracer), instrumentHttp2Client(tracer))
    if (listens !== undefined) undo.push(onHttpListen(listens))
  }
  if (!disabled.includes('undici')) undo.push(instrumentUndici(tracer))
  if (!disabled.includes('fastify')) undo.push(instrumentFastify())
  if (!disabled.includes('express')) undo.push(onLoads(new Map(expressLoads)))
  const disable = () => {
    for (const fn of undo.splice(0)) fn()
    if (current.disable === disable) current.disable = undefined
  }
  current.disable = disable
  return disable
}

function onHttpListen(listens: () => void): Disable {
  return subscribe({
    'tracing:net.server.listen:asyncStart': ({ server }: { server: unknown }) => {
      if (isHttpServer(server) || isHttp2Server(server)) listens()
    },
  })
}

/**
 * Lets what the clients of databases tell over a connection that many requests share run in the context of whoever asked. It makes no
 * spans, and is of use whoever makes them. Libraries that were loaded before are not seen.
 */
export function followSharedConnections(): Disable {
  return onLoads(new Map<string, OnLoad>([...pgLoads, ...mysql2Loads]))
}
