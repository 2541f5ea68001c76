/** What frameworks say of the requests that HTTP servers are at work on. */
import type { IncomingMessage } from 'node:http'
import { guard } from '../../hooks/channels.js'
import type { ServerRequest } from '../server-transaction.js'
import { provided, type Requests } from './provided.js'

export function requests(): Requests | undefined {
  return provided.requests
}

/** The request of Node that a framework's own may hold; without one, the request that is current. */
export function requestOf(request: unknown): ServerRequest | undefined {
  const known = typeof request === 'object' && request !== null ? request : undefined
  if (known !== undefined && 'socket' in known) return provided.requests?.of(known as IncomingMessage)
  // The first one is not found so: an entry for each request is not made before somebody needs it.
  provided.requests?.keepCurrent()
  return provided.requests?.current()
}

/** What a framework knows of a request: the route that it has found. */
export const noteRoute = guard('route', (handled: ServerRequest | undefined, told: Route) => {
  if (handled !== undefined) provided.requests?.setRoute(handled, told.method, told.route)
})

/** A method and the template of a path. */
export interface Route {
  readonly method: string
  readonly route: string
}

/** What a handler of the request failed with: an error of the service if the answer is one. */
export const noteThrown = guard('thrown', (handled: ServerRequest | undefined, error: unknown) => {
  if (handled !== undefined && error) handled.thrown ??= error
})
