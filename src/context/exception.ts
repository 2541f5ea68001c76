import { type Attributes, context as contextApi, type Span, SpanStatusCode } from '@opentelemetry/api'
import { attempt } from '../core/attempt.js'
import { shared } from '../core/shared.js'
import { messageOf, typeNameOf } from '../exceptions/error-class.js'
import { describeException, type ExceptionAttributes } from '../exceptions/exception.js'
import { redactText } from '../exceptions/redact-text.js'
import { spanOf } from './context.js'

/**
 * The span that each error has arrived at on its way out: the next one that it leaves by. An error is told once, where it was
 * first seen; the spans around it that it passes are marked as failed.
 */
const arrived = shared('context.arrived', () => new WeakMap<object, Span | undefined>())

/** The same for what is no object, and so has no identity: what has arrived at each span. */
const arrivedPrimitive = shared('context.primitives', () => new WeakMap<Span, { readonly value: unknown }>())

/** The span on which the application itself has told of an error, by OpenTelemetry's `recordException`. */
const told = shared('context.told', () => new WeakMap<object, Span>())

/** The application has told of `error` on `span`, from which it may go on its way. */
export function noteTold(error: unknown, span: Span): void {
  if (isObject(error)) told.set(error, span)
}

/** Whether the application has told of this occurrence of `error` on `span` itself. */
function takeTold(error: unknown, span: Span): boolean {
  return isObject(error) && told.get(error) === span && told.delete(error)
}

/** What errors that came from another thread were there. */
const crossed = shared('context.crossed', () => new WeakMap<object, ExceptionAttributes>())

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

/** An error is told of, and leaves for the span around: where it leaves a span, what is active is the span around it. */
function setArrived(error: unknown, next: Span | undefined): void {
  if (isObject(error)) arrived.set(error, next)
  else if (next !== undefined) arrivedPrimitive.set(next, { value: error })
}

/** Whether `error` has arrived at `span`, told of where it came from. */
function hasArrived(error: unknown, span: Span | undefined): boolean {
  if (isObject(error)) return arrived.has(error) && arrived.get(error) === span
  const last = span === undefined ? undefined : arrivedPrimitive.get(span)
  if (last === undefined || !Object.is(last.value, error)) return false
  arrivedPrimitive.delete(span!)
  return true
}

/**
 * Whether this occurrence of an error that nobody caught is told of already, by the spans that it left. The same instance may come up again, in
 * another span or later: that is another occurrence.
 *
 * @param span the one in which it came up.
 */
export function takeRecorded(error: unknown, span: Span | undefined): boolean {
  const isTold = hasArrived(error, span)
  if (isTold) forgetRecorded(error)
  return isTold
}

/** Whether a span of this thread tells of an error. */
export function isRecorded(error: unknown): boolean {
  return isObject(error) && arrived.has(error)
}

/** Nobody has told of `error` so far, if it comes up again. */
export function forgetRecorded(error: unknown): void {
  if (isObject(error)) arrived.delete(error)
}

/**
 * Adds an `exception` event to `span` (OpenTelemetry specification, "Exceptions"), described by {@link describeException}. Does not change the
 * span's status. Never throws.
 *
 * @param attributes added to the event.
 */
export function addException(span: Span, error: unknown, attributes?: Attributes): void {
  const description = (isObject(error) ? crossed.get(error) : undefined) ?? describeException(error)
  span.addEvent('exception', attempt(() => ({ ...description, ...attributes }), 'span.input') ?? description)
  setArrived(error, spanOf(contextApi.active()))
}

/**
 * Marks `span` as failed by `error`: an `exception` event unless the error came from a span inside of it, where it is told, or the
 * application has recorded it; `error.type`, and status ERROR with the error's message (semantic conventions, "Recording errors"). Does not
 * end the span.
 *
 * @param error whatever was thrown or rejected with. Never throws, whatever that is.
 * @param attributes added to the event.
 */
export function recordError(span: Span, error: unknown, attributes?: Attributes): void {
  if (takeTold(error, span) || hasArrived(error, span)) setArrived(error, spanOf(contextApi.active()))
  else addException(span, error, attributes)
  span.setAttribute('error.type', typeOf(error))
  span.setStatus({ code: SpanStatusCode.ERROR, message: redactText(messageOf(error)) })
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
  setArrived(error, next)
  span.setAttribute('error.type', description['exception.type'])
  span.setStatus({ code: SpanStatusCode.ERROR, message: description['exception.message'] })
}
