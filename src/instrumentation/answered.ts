/**
 * Calls that have been answered and whose body nobody has read to its end. Whether somebody will is known to the garbage collector alone,
 * which comes when it likes: such a span ends with the answer, at the latest when the process does.
 */
import type { Span } from '@opentelemetry/api'
import { now } from '../core/clock.js'

/** Calls beyond this many are left to their end. */
const MOST = 10_000

/** The time of the answer, in milliseconds of `performance.now()`. */
const answers = new Map<Span, number>()

/** The headers of the answer to a call are there. */
export function noteAnswer(span: Span): void {
  if (answers.size < MOST) answers.set(span, now())
}

/** The call has come to its own end. */
export function forgetAnswer(span: Span): void {
  answers.delete(span)
}

/** Ends a call whose body can no longer be read: with its answer. */
export function endWithAnswer(span: Span): void {
  const time = answers.get(span)
  answers.delete(span)
  span.end(time)
}

/** Ends all such calls, as the process ends. */
export function endAnswered(): void {
  for (const [span, time] of answers) span.end(time)
  answers.clear()
}
