import { context as contextApi, createContextKey, TraceFlags, trace, } from '@opentelemetry/api';
import { count } from '../core/counters.js';
import { contextWithSpan, contextWithValue, spanOf } from './context.js';
import { runInSpan, startSpan } from './span.js';
const TRANSACTION_KEY = createContextKey('threadspan transaction');
class LocalTransaction {
    span;
    local = true;
    id;
    traceId;
    #name;
    constructor(span, name) {
        this.span = span;
        const { spanId, traceId } = span.spanContext();
        this.id = spanId;
        this.traceId = traceId;
        this.#name = name;
    }
    get name() {
        // Instrumentations rename the span itself, which most SDKs let one read.
        const { name } = this.span;
        return typeof name === 'string' ? name : this.#name;
    }
    setName(name) {
        this.#name = name;
        this.span.updateName(name);
        return this;
    }
    setAttribute(key, value) {
        this.span.setAttribute(key, value);
        return this;
    }
    setAttributes(attributes) {
        this.span.setAttributes(attributes);
        return this;
    }
}
class CarriedTransaction {
    id;
    traceId;
    name;
    isRemote;
    local = false;
    #span;
    constructor(id, traceId, name, isRemote) {
        this.id = id;
        this.traceId = traceId;
        this.name = name;
        this.isRemote = isRemote;
    }
    get span() {
        // Made when asked for: most tasks that arrive never ask.
        this.#span ??= trace.wrapSpanContext({
            spanId: this.id,
            traceId: this.traceId,
            traceFlags: TraceFlags.NONE,
            isRemote: this.isRemote,
        });
        return this.#span;
    }
    setName() {
        count('transaction.remote');
        return this;
    }
    setAttribute() {
        count('transaction.remote');
        return this;
    }
    setAttributes() {
        count('transaction.remote');
        return this;
    }
}
const bySpan = new WeakMap();
/**
 * The transaction whose local root is `span`; the same one for the same span.
 *
 * @param name of the span, for spans that do not tell it.
 */
export function transactionOf(span, name = '') {
    let transaction = bySpan.get(span);
    if (transaction === undefined) {
        transaction = new LocalTransaction(span, name);
        bySpan.set(span, transaction);
    }
    return transaction;
}
/**
 * Starts a transaction as a child of what is active in `context`. It is made active by {@link contextWithTransaction}, and ended by
 * `transaction.span.end()`.
 */
export function startTransaction(options, context = contextApi.active()) {
    return transactionOf(startSpan(options, context), typeof options === 'string' ? options : options.name);
}
/** `context` with this transaction as the current one and its span as the active one. */
export function contextWithTransaction(context, transaction) {
    // The span on top, where the spans inside the transaction will replace it.
    return contextWithSpan(contextWithValue(context, TRANSACTION_KEY, transaction), transaction.span);
}
/** `context` with a transaction of another thread or process as the current one; its active span stays what it is. */
export function contextWithCarriedTransaction(context, carried) {
    const { id, traceId, name, isRemote } = carried;
    return contextWithValue(context, TRANSACTION_KEY, new CarriedTransaction(id, traceId, name, isRemote));
}
/**
 * Runs `fn` inside a new transaction: a local root span, the child of the active span if there is one. It ends as that of `withSpan` does.
 *
 * @param options its name, or its name and OpenTelemetry's `SpanOptions`; `root: true` starts a trace of its own.
 */
export function withTransaction(options, fn) {
    const parent = contextApi.active();
    const transaction = startTransaction(options, parent);
    return runInSpan(contextWithTransaction(parent, transaction), transaction.span, fn, transaction);
}
/** The transaction that the current work belongs to; undefined outside of any. */
export function currentTransaction() {
    return transactionIn(contextApi.active());
}
/** The transaction of `context`: the one that was set there, else the local root of the active span where our recorder made it. */
export function transactionIn(context) {
    const transaction = context.getValue(TRANSACTION_KEY);
    if (transaction !== undefined)
        return transaction;
    const root = spanOf(context)?.localRoot;
    return root === undefined ? undefined : transactionOf(root);
}
