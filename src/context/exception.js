import { SpanStatusCode } from '@opentelemetry/api';
/**
 * Marks `span` as failed by `error`: an `exception` event, `error.type`, and status ERROR with the error's message (OpenTelemetry
 * specification, "Exceptions" and semantic conventions, "Recording errors"). Does not end the span.
 *
 * @param error whatever was thrown or rejected with. Never throws, whatever that is.
 */
export function recordError(span, error) {
    try {
        if (error instanceof Error) {
            span.recordException(error);
            span.setAttribute('error.type', error.constructor?.name || error.name || 'Error');
            span.setStatus({ code: SpanStatusCode.ERROR, message: String(error.message) });
        }
        else {
            const message = String(error);
            span.recordException(message);
            span.setAttribute('error.type', error === null ? 'null' : typeof error);
            span.setStatus({ code: SpanStatusCode.ERROR, message });
        }
    }
    catch {
        // An error with a getter or a toString that throws itself: its failure is still told.
        span.setStatus({ code: SpanStatusCode.ERROR });
    }
}
