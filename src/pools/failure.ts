/**
 * What a task's error leaves behind when it crosses to the submitter, told beside it: structured clone keeps of an error its message and
 * its stack, and of its class only what is JavaScript's own.
 */

/**
 * What the worker's file throws in place of an error, for the submitter's side of the adapter to open. User code never gets to see one.
 * `pools/handlers.cts` makes it.
 */
interface FailureMessage {
  readonly 'threadspan.error': unknown
  readonly 'threadspan.told': unknown
}

/** A failure that a worker told of. */
export interface Failure {
  /** The error as the pool's message brought it. */
  readonly error: unknown
  /** What `PoolTracing.tell` returned in the worker. */
  readonly told: unknown
}

/** What a task failed with, taken out of its message; undefined where there was none. */
export function openFailure(error: unknown): Failure | undefined {
  if (typeof error !== 'object' || error === null || !Object.hasOwn(error, 'threadspan.told'))
    return undefined
  const message = error as FailureMessage
  return { error: message['threadspan.error'], told: message['threadspan.told'] }
}
