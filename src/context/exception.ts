import { type Attributes, context as contextApi, type Span, SpanStatusCode } from '@opentelemetry/api'
import { describeException, messageOf, typeNameOf } from '../core/exception.js'
import { shared } from '../core/shared.js'
import { spanOf } from './context.js'

/**
 * The span that each error has arrived at on its way out: the next one that it leaves by. An error is told once, where it was
 * first seen; the spans around it that it passes are marked as failed.
 */
const arrived = shared('errors.arrived', () => new WeakMap<object, Span | undefined>())

function isObject(error: unknown): error is object {
  return typeof error === 'object' && error !== null
}

/** Whether an `exception` event tells of this very error already, on whichever span of this thread. */
export function isRecorded(error: unknown): boolean {
  return isObject(error) && arrived.has(error)
}

/**
 * Adds an `exception` event to `span` (OpenTelemetry specification, "Exceptions"), described by {@link describeException}. Does not change the
 * span's status. Never throws.
 *
 * @param attributes added to the event.
 */
export function addException(span: Span, error: unknown, attributes?: Attributes): void {
  span.addEvent('exception', { ...describeException(error), ...attributes })
  // Where an error leaves a span, what is active is the span around it.
  if (isObject(error)) arrived.set(error, spanOf(contextApi.active()))
}

/**
 * Marks `span` as failed by `error`: an `exception` event unless the error came from a span inside of it, where it is told;
 * `error.type`, and status ERROR with the error's message (semantic conventions, "Recording errors"). Does not end the span.
 *
 * @param error whatever was thrown or rejected with. Never throws, whatever that is.
 * @param attributes added to the event.
 */
export function recordError(span: Span, error: unknown, attributes?: Attributes): void {
  if (isObject(error) && arrived.has(error) && arrived.get(error) === span) {
    arrived.set(error, spanOf(contextApi.active()))
  } else addException(span, error, attributes)
  span.setAttribute('error.type', typeNameOf(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
}
