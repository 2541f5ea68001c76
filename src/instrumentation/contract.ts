import type { Tracer } from '@opentelemetry/api'
import type { Disable } from '../hooks/channels.js'
import type { InstrumentationName } from './libraries.js'

/** What an instrumentation may be told of besides its tracer. */
export interface EnableOptions {
  /** Called when an HTTP server begins to listen: there will be spans. Must not throw. */
  readonly listens?: () => void
}

/**
 * Follows one library. It is a folder or file of this room and a line in the list of `web.ts`, `frameworks.ts`, `databases.ts`, `messaging.ts` or `rpc.ts`; what it is
 * loaded with is a line of `libraries.ts`. It knows the library's tracing channels, or puts itself around its methods where the library publishes none, and the semantic
 * conventions for what it makes of them. It never loads the library.
 */
export interface Instrumentation {
  readonly name: InstrumentationName
  /** Versions of the library that are tested, as the docs say it. */
  readonly versions: string
  /**
   * Makes spans from now on, of what the thread has loaded and will load.
   * @returns ends it. What is under way need not be followed to its end.
   */
  enable(tracer: Tracer, options: EnableOptions): Disable
  /**
   * Keeps what the library calls back over a connection that many requests share in the context of whoever asked, whoever makes the spans, and if
   * nobody does. What was loaded before is not seen.
   */
  follow?(): Disable
}
