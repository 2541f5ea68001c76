import {
  type Attributes,
  type AttributeValue,
  type Context,
  context as contextApi,
  createContextKey,
  type Span,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { shared } from '../core/shared.js'
import { contextWithSpan, contextWithValue, spanOf } from './context.js'
import { type NamedSpanOptions, runInSpan, startSpan } from './span.js'

/**
 * The local root span of a unit of work in one service: a request, a job, a script run.
 *
 * Found from wherever the work is: in its own thread with everything; in a thread or process that it reached, `id`, `traceId` and `name` as
 * they were when the work was sent there, and what is set is ignored and counted (`transaction.remote`).
 */
export interface Transaction {
  /** Span id of the local root: 16 lower-case hexadecimal digits. */
  readonly id: string
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  readonly name: string
  /** The span itself; elsewhere than in its own thread one that records nothing. */
  readonly span: Span
  /** Whether it is of this thread, so that it can be changed. */
  readonly local: boolean
  /** Renames it; of low cardinality: `GET /user/:id`, not `GET /user/7`. */
  setName(name: string): this
  setAttribute(key: string, value: AttributeValue): this
  setAttributes(attributes: Attributes): this
}

/** What a transaction may be started with. */
export interface TransactionOptions extends NamedSpanOptions {
  /**
   * `domain`: errors that come up in what the transaction set in motion, and that nobody catches, are found by `async_hooks`, even
   * where no context tells to whom they belong. It costs as long as the transaction's work lasts.
   */
  readonly errors?: 'domain'
}

/** What is done around the transactions of {@link withTransaction}, where the part that can do it was loaded. */
export interface TransactionSurroundings {
  /** Calls `fn` where stray errors are found for `span`. */
  inDomain: (<T>(span: Span, fn: () => T) => T) | undefined
  /** For every transaction, not for those alone that ask for it. */
  isAlways: boolean
}

/** This thread's. */
export const surroundings = shared<TransactionSurroundings>('context.transactions', () => ({
  inDomain: undefined,
  isAlways: false,
}))

const TRANSACTION_KEY = createContextKey('threadspan transaction')

class LocalTransaction implements Transaction {
  readonly local = true
  readonly id: string
  readonly traceId: string
  #name: string

  constructor(
    readonly span: Span,
    name: string,
  ) {
    const { spanId, traceId } = span.spanContext()
    this.id = spanId
    this.traceId = traceId
    this.#name = name
  }

  get name(): string {
    // Instrumentations rename the span itself, which most SDKs let one read.
    const { name } = this.span as { name?: unknown }
    return typeof name === 'string' ? name : this.#name
  }

  setName(name: string): this {
    this.#name = name
    this.span.updateName(name)
    return this
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.span.setAttribute(key, value)
    return this
  }

  setAttributes(attributes: Attributes): this {
    this.span.setAttributes(attributes)
    return this
  }
}

class CarriedTransaction implements Transaction {
  readonly local = false
  #span: Span | undefined

  constructor(
    readonly id: string,
    readonly traceId: string,
    readonly name: string,
    readonly isRemote: boolean,
  ) {}

  get span(): Span {
    // Made when asked for: most tasks that arrive never ask.
    this.#span ??= trace.wrapSpanContext({
      spanId: this.id,
      traceId: this.traceId,
      traceFlags: TraceFlags.NONE,
      isRemote: this.isRemote,
    })
    return this.#span
  }

  setName(): this {
    count('transaction.remote')
    return this
  }

  setAttribute(): this {
    count('transaction.remote')
    return this
  }

  setAttributes(): this {
    count('transaction.remote')
    return this
  }
}

const bySpan = shared('context.ofSpans', () => new WeakMap<Span, Transaction>())

/**
 * The transaction whose local root is `span`; the same one for the same span.
 *
 * @param name of the span, for spans that do not tell it.
 */
export function transactionOf(span: Span, name = ''): Transaction {
  let transaction = bySpan.get(span)
  if (transaction === undefined) {
    transaction = new LocalTransaction(span, name)
    bySpan.set(span, transaction)
  }
  return transaction
}

/**
 * Starts a transaction as a child of what is active in `context`. It is made active by {@link contextWithTransaction}, and ended by
 * `transaction.span.end()`.
 */
export function startTransaction(
  options: string | NamedSpanOptions,
  context: Context = contextApi.active(),
): Transaction {
  return transactionOf(startSpan(options, context), typeof options === 'string' ? options : options.name)
}

/** `context` with this transaction as the current one and its span as the active one. */
export function contextWithTransaction(context: Context, transaction: Transaction): Context {
  // The span on top, where the spans inside the transaction will replace it.
  return contextWithSpan(contextWithValue(context, TRANSACTION_KEY, transaction), transaction.span)
}

/**
 * `parent` with a span that has just begun a transaction as the active span and the current transaction. Our recorder's spans know what their
 * transaction is.
 *
 * @param name of the span, for spans that do not tell it.
 */
export function contextOfLocalRoot(parent: Context, span: Span, name: string): Context {
  if ((span as { localRoot?: unknown }).localRoot === span) return contextWithSpan(parent, span)
  return contextWithTransaction(parent, transactionOf(span, name))
}

/** `context` with a transaction of another thread or process as the current one; its active span stays what it is. */
export function contextWithCarriedTransaction(
  context: Context,
  carried: {
    readonly id: string
    readonly traceId: string
    readonly name: string
    readonly isRemote: boolean
  },
): Context {
  const { id, traceId, name, isRemote } = carried
  return contextWithValue(context, TRANSACTION_KEY, new CarriedTransaction(id, traceId, name, isRemote))
}

/**
 * Runs `fn` inside a new transaction: a local root span, the child of the active span if there is one. It ends as that of `withSpan` does.
 *
 * @param options its name, or its name and OpenTelemetry's `SpanOptions`; `root: true` starts a trace of its own, `errors: 'domain'` follows
 *   its stray errors by `async_hooks`.
 */
export function withTransaction<T>(
  options: string | TransactionOptions,
  fn: (transaction: Transaction) => T,
): T {
  const parent = contextApi.active()
  const transaction = startTransaction(options, parent)
  const { span } = transaction
  const context = contextWithTransaction(parent, transaction)
  const { inDomain, isAlways } = surroundings
  if (inDomain !== undefined && (isAlways || (typeof options === 'object' && options.errors === 'domain')))
    return inDomain(span, () => runInSpan(context, span, fn, transaction))
  return runInSpan(context, span, fn, transaction)
}

/** The transaction that the current work belongs to; undefined outside of any. */
export function currentTransaction(): Transaction | undefined {
  return transactionIn(contextApi.active())
}

/** The transaction of `context`: the one that was set there, else the local root of the active span where our recorder made it. */
export function transactionIn(context: Context): Transaction | undefined {
  const transaction = namedTransaction(context)
  if (transaction !== undefined) return transaction
  const root = (spanOf(context) as { localRoot?: LocalRoot } | undefined)?.localRoot
  if (root === undefined) return undefined
  return root.carried === undefined ? transactionOf(root) : carriedBy(root, root.carried)
}

/** The transaction that was set in `context` itself, local or carried; undefined where only spans tell of one. */
export function namedTransaction(context: Context): Transaction | undefined {
  try {
    return context.getValue(TRANSACTION_KEY) as Transaction | undefined
  } catch {
    return undefined
  }
}

/** What our recorder's spans say of where they stand. */
interface LocalRoot extends Span {
  /** The transaction of another thread that this span was made for. */
  readonly carried?: { readonly id: string; readonly name: string } | undefined
}

function carriedBy(root: Span, { id, name }: { readonly id: string; readonly name: string }): Transaction {
  let transaction = bySpan.get(root)
  if (transaction === undefined) {
    transaction = new CarriedTransaction(id, root.spanContext().traceId, name, false)
    bySpan.set(root, transaction)
  }
  return transaction
}
