/** How long a statement's connection was waited for, where a client has a pool. */
import type { Span } from '@opentelemetry/api'
import { now } from '../core/clock.js'

/** Milliseconds, on the span of the first statement after a connection was asked for. */
export const CONNECTION_WAIT = 'threadspan.connection.wait'

const waits = new WeakMap<object, number>()

/** A connection has come that was asked for then, by this thread's clock. */
export function noteWait(connection: unknown, asked: number): void {
  if (typeof connection === 'object' && connection !== null) waits.set(connection, Math.max(0, now() - asked))
}

/** The span with the wait for its connection, for the first that asks. */
export function withWait(span: Span | undefined, connection: object): Span | undefined {
  const waited = waits.get(connection)
  if (waited === undefined) return span
  waits.delete(connection)
  return span?.setAttribute(CONNECTION_WAIT, waited)
}
