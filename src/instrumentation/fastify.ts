import type { IncomingMessage } from 'node:http'
import type { Disable } from './channels.js'
import { subscribe } from './channels.js'
import { type ServerRequest, serverRequest, setRoute } from './http-server.js'

interface HandlerMessage {
  readonly request: { readonly raw: IncomingMessage }
  readonly reply: { readonly statusCode: number }
  readonly route: { readonly url?: unknown; readonly method?: unknown }
  readonly error?: unknown
}

/**
 * Tells the transactions of Fastify (5 and later) by its own channels: the route gives the name, and what a handler throws
 * is recorded with its stack. A request that was injected rather than received over HTTP has no transaction of its own.
 */
export function instrumentFastify(): Disable {
  return subscribe({
    'tracing:fastify.request.handler:start': ({ request, route }: HandlerMessage) => {
      const handled = serverRequest(request.raw)
      if (handled !== undefined && typeof route.url === 'string')
        setRoute(handled, request.raw.method ?? '', route.url)
    },
    'tracing:fastify.request.handler:error': ({ request, reply, error }: HandlerMessage) => {
      const handled = serverRequest(request.raw)
      // Frameworks throw for 404 and the like as well: an answer, not a fault of the service.
      if (handled !== undefined && reply.statusCode >= 500) recordError(handled, error)
    },
  })
}

function recordError(handled: ServerRequest, error: unknown): void {
  if (handled.error !== undefined) return
  handled.error = error
  handled.span.recordException(error instanceof Error ? error : String(error))
}
