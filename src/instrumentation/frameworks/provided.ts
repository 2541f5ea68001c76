import type { IncomingMessage } from 'node:http'
import { shared } from '../../core/shared.js'
import type { ServerRequest } from '../server-transaction.js'

/** What follows HTTP, as frameworks use it. */
export interface Requests {
  /** Undefined for a request that is not followed, and after its response. */
  of(request: IncomingMessage): ServerRequest | undefined
  /** The request whose transaction is current. */
  current(): ServerRequest | undefined
  /** Has `current` find the requests that begin from now on. */
  keepCurrent(): void
  setRoute(handled: ServerRequest, method: string, route: string): void
  setName(handled: ServerRequest, name: string): void
}

/** Set by what follows HTTP, which is another part than frameworks and is loaded before them. */
export const provided = shared('instrumentation.requests', () => ({
  requests: undefined as Requests | undefined,
}))
