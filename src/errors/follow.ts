import { dirname } from 'node:path'
import { surroundings } from '../context/transaction.js'
import { ownFile } from '../core/own-files.js'
import { guarded } from '../hooks/guarded.js'
import { loadPart } from '../hooks/parts.js'
import type * as DomainPart from './domain-part.cjs'
import { followStrayErrors, provideDomainSpan } from './stray.js'

/** How errors that nobody catches are traced to their spans. */
export interface FollowErrorsOptions {
  /**
   * `context` (default): by the context in which they come up, at no cost. `domain`: for transactions also by `async_hooks`
   * (`async-hook-domain`), where the context was lost on the way; costs as long as a transaction's work lasts.
   */
  readonly mode?: 'context' | 'domain'
}

/**
 * Records, from now on and in this thread, the errors that nobody catches: as an `exception` event on the span that they belong to. Then they
 * take their course: listeners, output and exit code are as without. The preload and `start()` have done it, in the mode that
 * `THREADSPAN_ERRORS` names; a single transaction asks for domains by `withTransaction({ name, errors: 'domain' }, fn)`.
 */
export function followErrors(options: FollowErrorsOptions = {}): void {
  followStrayErrors()
  surroundings.inDomain = (span, fn) => {
    const part = guarded('domains', loadDomains)
    if (part === undefined) return fn()
    provideDomainSpan(part.spanOfExecution)
    return part.inDomain(span, fn)
  }
  surroundings.isAlways ||= options.mode === 'domain'
}

/** In a file of its own, since few ask for it. */
function loadDomains(): typeof DomainPart {
  const file = ownFile('domains.cjs')
  return loadPart<typeof DomainPart>(dirname(file), 'domains.cjs')
}
