import type { Tracer } from '@opentelemetry/api'
import { type Disable, subscribe } from '../hooks/channels.js'
import type { EnableOptions, Instrumentation } from './contract.js'
import { express } from './express/names.js'
import { instrumentFastify } from './fastify.js'
import { hapi } from './hapi.js'
import { instrumentHttpClient } from './http-client.js'
import { instrumentHttpServer, isHttpServer } from './http-server.js'
import { instrumentHttp2Client } from './http2/client.js'
import { instrumentHttp2Server, isHttp2Server } from './http2/server.js'
import { koa } from './koa.js'
import { instrumentUndici } from './undici.js'
import { followUndici } from './undici-context.js'

/** What speaks HTTP. */
export const WEB: readonly Instrumentation[] = [
  { name: 'http', versions: "Node's", enable: instrumentHttp },
  { name: 'undici', versions: '5 to 8', enable: instrumentUndici, follow: followUndici },
  { name: 'fastify', versions: '4, 5', enable: instrumentFastify },
  express,
  koa,
  hapi,
]

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
