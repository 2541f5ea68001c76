import type { IncomingMessage } from 'node:http'
import { isDeactivated } from '../config/live.js'
import type { Disable } from '../hooks/channels.js'
import { subscribe } from '../hooks/channels.js'
import { noteRoute, noteThrown } from './http-server.js'

interface HandlerMessage {
  readonly request: { readonly raw: IncomingMessage }
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
    // Frameworks throw for 404 and the like as well: an answer, not a fault of the service.
    'tracing:fastify.request.handler:error': ({ request, error }: HandlerMessage) => {
      if (!isOff()) noteThrown(request.raw, error)
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
