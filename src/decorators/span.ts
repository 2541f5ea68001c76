import type { Span as ApiSpan } from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { startSpan, withSpan } from '../context/span.js'
import { type TracedDecorator, type TracedOptions, tracedDecorator } from './traced.js'

/** OpenTelemetry's `Span`. */
export type Span = ApiSpan

const tracing = {
  decorator: '@Span',
  run: withSpan,
  open(options: Parameters<typeof startSpan>[0], parent: Parameters<typeof startSpan>[1]) {
    const span = startSpan(options, parent)
    return { span, context: contextWithSpan(parent, span) }
  },
}

/**
 * Decorates a method so that each call is a span, the child of the active one: `withSpan` around it. Works as a TC39 decorator and as a
 * legacy one (`experimentalDecorators`), with and without parentheses; on methods (also async, generators, static, private), getters,
 * setters and accessors. Receiver, name, length, metadata and type stay.
 *
 * The span ends when the result settles; that of a generator lasts from its first step until it is done.
 *
 * @param name of low cardinality; `Class.method` by default.
 * @param options OpenTelemetry's `SpanOptions`, and `attributes` as a function of the call's arguments.
 * @throws ThreadspanError `THREADSPAN_DECORATOR_PLACE` on a class or a field.
 */
export const Span: SpanDecorator = ((...args: unknown[]) =>
  tracedDecorator(tracing, args)) as unknown as SpanDecorator

/** `@Span`, `@Span()`, `@Span('name')`, `@Span('name', options)`, `@Span(options)`. */
export interface SpanDecorator extends TracedDecorator {
  <A extends readonly unknown[] = never>(
    name?: string | undefined,
    options?: TracedOptions<A>,
  ): TracedDecorator<A>
  <A extends readonly unknown[] = never>(options: TracedOptions<A>): TracedDecorator<A>
}
