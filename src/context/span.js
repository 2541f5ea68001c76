import { context as contextApi, trace, } from '@opentelemetry/api';
import { contextWithSpan } from './context.js';
import { recordError } from './exception.js';
import { ensureContextManager } from './manager.js';
let provider;
let tracer;
/** The tracer of the spans made by helpers. Kept as long as the provider behind the API stays the same, for it costs a lookup by name. */
function currentTracer() {
    let current = trace.getTracerProvider();
    if (current.getDelegate !== undefined)
        current = current.getDelegate();
    if (current !== provider) {
        tracer = current.getTracer('threadspan');
        provider = current;
    }
    return tracer;
}
/** Starts a span as a child of what is active in `context`, by whichever TracerProvider the application has. It is not made active. */
export function startSpan(options, context) {
    return typeof options === 'string'
        ? currentTracer().startSpan(options, undefined, context)
        : currentTracer().startSpan(options.name, options, context);
}
/**
 * Runs `fn` inside a new span, the child of the active one, and ends the span when the result settles: at once, or when the promise or thenable
 * that `fn` returned is fulfilled or rejected. An error is recorded as `exception` event and status ERROR, and thrown on.
 *
 * The result of an asynchronous `fn` is what its own `then` returns: a promise of the same class with the same outcome. A generator
 * does its work after it was returned, and is not covered: its span ends at once.
 *
 * @param options the span's name, or its name and OpenTelemetry's `SpanOptions`.
 */
export function withSpan(options, fn) {
    const parent = contextApi.active();
    const span = startSpan(options, parent);
    return runInSpan(contextWithSpan(parent, span), span, fn, span);
}
/**
 * Runs `fn(argument)` in `context` and ends `span` when the result settles, as {@link withSpan} does.
 *
 * @param context one in which `span` is active.
 */
export function runInSpan(context, span, fn, argument) {
    ensureContextManager();
    let result;
    try {
        result = contextApi.with(context, fn, undefined, argument);
        if (isThenable(result))
            return endWhenSettled(span, result);
    }
    catch (error) {
        recordError(span, error);
        span.end();
        throw error;
    }
    span.end();
    return result;
}
function isThenable(value) {
    return (((typeof value === 'object' && value !== null) || typeof value === 'function') &&
        typeof value.then === 'function');
}
function endWhenSettled(span, result) {
    return result.then((value) => {
        span.end();
        return value;
    }, (error) => {
        recordError(span, error);
        span.end();
        throw error;
    });
}
