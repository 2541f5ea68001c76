import type { Span } from '@opentelemetry/api'
import { type Disable, subscribe } from '../hooks/channels.js'

/** What ended a piece of work. */
export interface Failure {
  readonly error: unknown
}

/** What a TracingChannel tells of one call; the library's own fields lie beside these. */
interface Message {
  readonly error?: unknown
}

/**
 * Makes a span of each call that a library tells of on a TracingChannel: from `start` to the call's callback, or until its promise has settled.
 *
 * @param name the channel's, without `tracing:`.
 * @param start the span of a call; undefined for one that is none.
 * @param end ends the span.
 */
export function spanOfChannel<M extends object>(
  name: string,
  start: (message: M) => Span | undefined,
  end: (span: Span, failure?: Failure) => void,
): Disable {
  const spans = new WeakMap<object, Span>()
  const finish = (message: object, failure?: Failure): void => {
    const span = spans.get(message)
    if (span === undefined) return
    spans.delete(message)
    end(span, failure)
  }
  return subscribe({
    [`tracing:${name}:start`]: (message: M) => {
      const span = start(message)
      if (span !== undefined) spans.set(message, span)
    },
    // Also of a call that throws, which `asyncStart` does not follow.
    [`tracing:${name}:error`]: (message: Message) => finish(message, { error: message.error }),
    [`tracing:${name}:asyncStart`]: (message: Message) => finish(message),
  })
}
