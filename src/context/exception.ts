import { type Attributes, context as contextApi, type Span, SpanStatusCode } from '@opentelemetry/api'
import { messageOf, typeNameOf } from '../core/error-class.js'
import { describeException, type ExceptionAttributes } from '../core/exception.js'
import { shared } from '../core/shared.js'
import { spanOf } from './context.js'

/**
 * The span that each error has arrived at on its way out: the next one that it leaves by. An error is told once, where it was
 * first seen; the spans around it that it passes are marked as failed.
 */
const arrived = shared('errors.arrived', () => new WeakMap<object, Span | undefined>())

/** What errors that came from another thread were there. */
const crossed = shared('errors.crossed', () => new WeakMap<object, ExceptionAttributes>())

function isObject(error: unknown): error is object {
  return typeof error === 'object' && error !== null
}

/** Remembers what an error was in the thread that it came from, for whichever span is going to tell of it. */
export function rememberCrossed(error: unknown, description: ExceptionAttributes): void {
  if (isObject(error)) crossed.set(error, description)
}

/** The name of an error's class: that of the thread it came from, where that is known. See {@link typeNameOf}. */
export function typeOf(error: unknown): string {
  return (isObject(error) ? crossed.get(error)?.['exception.type'] : undefined) ?? typeNameOf(error)
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
  const description = (isObject(error) ? crossed.get(error) : undefined) ?? describeException(error)
  span.addEvent('exception', { ...description, ...attributes })
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
  span.setAttribute('error.type', typeOf(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) })
}

/**
 * The same for an error that came from another thread, where it was `description`.
 *
 * @param next the span that the error arrives at next, in which it is not told again.
 */
export function recordCrossed(
  span: Span,
  error: unknown,
  description: ExceptionAttributes,
  next: Span | undefined,
): void {
  rememberCrossed(error, description)
  span.addEvent('exception', description)
  if (isObject(error)) arrived.set(error, next)
  span.setAttribute('error.type', description['exception.type'])
  span.setStatus({ code: SpanStatusCode.ERROR, message: description['exception.message'] })
}
