import {
  type Transaction as CurrentTransaction,
  contextWithTransaction,
  startTransaction,
  withTransaction,
} from '../context/transaction.js'
import { type TracedDecorator, type TracedOptions, tracedDecorator } from './traced.js'

/** The local root span of a unit of work in one service; what `currentTransaction()` gives. */
export type Transaction = CurrentTransaction

const tracing = {
  decorator: '@Transaction',
  run: withTransaction,
  open(options: Parameters<typeof startTransaction>[0], parent: Parameters<typeof startTransaction>[1]) {
    const transaction = startTransaction(options, parent)
    return { span: transaction.span, context: contextWithTransaction(parent!, transaction) }
  },
}

/**
 * Decorates a method so that each call is a transaction: `withTransaction` around it. All else is as with `@Span`.
 *
 * @param name of low cardinality; `Class.method` by default.
 * @param options OpenTelemetry's `SpanOptions`, of which `root: true` starts a trace of its own, `errors: 'domain'`, and `attributes` as a function of
 *   the call's arguments.
 * @throws ThreadspanError `THREADSPAN_DECORATOR_PLACE` on a class or a field.
 */
export const Transaction: TransactionDecorator = ((...args: unknown[]) =>
  tracedDecorator(tracing, args)) as unknown as TransactionDecorator

/** What `@Transaction` takes beside a name. */
export interface TransactionDecoratorOptions<A extends readonly unknown[] = never> extends TracedOptions<A> {
  /** As with `withTransaction`; not for generators, whose work is done outside of any call. */
  readonly errors?: 'domain'
}

/** `@Transaction`, `@Transaction()`, `@Transaction('name')`, `@Transaction('name', options)`, `@Transaction(options)`. */
export interface TransactionDecorator extends TracedDecorator {
  <A extends readonly unknown[] = never>(
    name?: string | undefined,
    options?: TransactionDecoratorOptions<A>,
  ): TracedDecorator<A>
  <A extends readonly unknown[] = never>(options: TransactionDecoratorOptions<A>): TracedDecorator<A>
}
