import { guarded } from '../../hooks/guarded.js'
import type { Failure } from '../traced-channel.js'

/** What processors throw to say that the job goes on later. */
const NO_FAILURES: ReadonlySet<unknown> = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError'])
const RATE_LIMITED = 'bullmq:rateLimitExceeded'

/** A failure of the job; undefined where there is none. */
export function realFailure(failure: Failure | undefined): Failure | undefined {
  const goesOn = guarded('bullmq', () => {
    const { name, message } = (failure?.error ?? {}) as { name?: unknown; message?: unknown }
    return NO_FAILURES.has(name) || message === RATE_LIMITED
  })
  return goesOn === true ? undefined : failure
}
