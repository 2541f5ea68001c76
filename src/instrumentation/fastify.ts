import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import type { Disable } from '../hooks/channels.js'
import { subscribe } from '../hooks/channels.js'
import { noteRoute, noteThrown, serverRequest } from './http-server.js'
import type { ServerRequest } from './server-transaction.js'

interface HandlerMessage {
  readonly request: { readonly raw: IncomingMessage }
  readonly reply: { readonly statusCode: number }
  readonly route: { readonly url?: unknown; readonly method?: unknown }
  readonly error?: unknown
}

interface Request {
  readonly raw: IncomingMessage
  readonly routeOptions?: { readonly url?: unknown }
}

interface Instance {
  addHook(name: string, hook: (...args: never[]) => void): unknown
}

const isOff = (): boolean => isDeactivated('fastify')

/**
 * Tells the transactions of Fastify by its own channels: the route gives the name, and what a handler throws is recorded with its
 * stack. A request that is refused before its handler (a hook, the body's parser, validation) is named by the hooks of each
 * instance, whose making is told of on a channel as well; a refusal below 500 is an answer, and no error of the service. A request that was injected rather than received over HTTP has no transaction of its own.
 */
export function instrumentFastify(): Disable {
  return subscribe({
    'fastify.initialization': ({ fastify }: { fastify: Instance }) => addHooks(fastify),
    'tracing:fastify.request.handler:start': ({ request, route }: HandlerMessage) => {
      if (typeof route.url === 'string' && !isOff()) noteRoute(request.raw, route.url)
    },
    'tracing:fastify.request.handler:error': ({ request, reply, error }: HandlerMessage) => {
      const handled = isOff() ? undefined : serverRequest(request.raw)
      // Frameworks throw for 404 and the like as well: an answer, not a fault of the service.
      if (handled !== undefined && reply.statusCode >= 500) recordError(handled, error)
    },
  })
}

function addHooks(fastify: Instance): void {
  fastify.addHook('onRequest', ({ raw, routeOptions }: Request, _reply: unknown, done: () => void) => {
    if (typeof routeOptions?.url === 'string' && !isOff()) noteRoute(raw, routeOptions.url)
    done()
  })
  fastify.addHook('onError', ({ raw }: Request, _reply: unknown, error: unknown, done: () => void) => {
    if (!isOff()) noteThrown(raw, error)
    done()
  })
}

function recordError(handled: ServerRequest, error: unknown): void {
  if (handled.error !== undefined) return
  handled.error = error
  handled.span.recordException(error instanceof Error ? error : String(error))
}
