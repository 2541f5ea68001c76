import { type Attributes, type Context, context as contextApi } from '@opentelemetry/api'
import { spanOf } from '../context/context.js'
import { addException, recordError, typeOf } from '../context/exception.js'
import { startSpan } from '../context/span.js'
import { attempt } from '../core/attempt.js'

/**
 * Records an error that the program has dealt with, as an `exception` event on the active span, whose status stays. Outside of any span that
 * records, or after its end, a span of no length `error <Type>` is made to hold it, the child of what is active.
 *
 * An error that leaves the function of a transaction or span is recorded by that; there is no need to capture it.
 *
 * @param error whatever was thrown or rejected with. Never throws, whatever that is.
 * @param attributes added to the event.
 */
export function captureError(error: unknown, attributes?: Attributes): void {
  const context = contextApi.active()
  const span = spanOf(context)
  if (attempt(() => span?.isRecording(), 'span.input') === true) addException(span!, error, attributes)
  else recordBeside(context, error, attributes)
}

/** Records `error` in a span of its own, for one that can hold it no more. */
export function recordBeside(context: Context, error: unknown, attributes?: Attributes): void {
  const span = startSpan(`error ${typeOf(error)}`, context)
  recordError(span, error, attributes)
  span.end()
}
