import { type Baggage, type Context, createContextKey, ROOT_CONTEXT, type Span } from '@opentelemetry/api'

/** The key under which every copy of the OpenTelemetry API looks for the active span (a registered symbol, the same in each copy). */
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')

/** Likewise for baggage. */
const BAGGAGE_KEY = createContextKey('OpenTelemetry Baggage Key')

/** Nodes that a lookup walks before the entries are gathered into one table. */
const MAX_DEPTH = 8

/**
 * OpenTelemetry's `Context` as an immutable chain of single entries.
 *
 * The API's own copies a Map on every change; here a change is one small object, which is what making a span the active one
 * costs. An undefined value is the same as none, as in the API.
 */
class ContextNode implements Context {
  constructor(
    readonly parent: ContextNode | undefined,
    readonly key: symbol,
    readonly value: unknown,
    /** Entries below the chain, made when it got too long. */
    readonly table: ReadonlyMap<symbol, unknown> | undefined,
    readonly depth: number,
  ) {}

  getValue(key: symbol): unknown {
    let node: ContextNode | undefined = this
    do {
      if (node.key === key) return node.value
      node = node.parent
    } while (node !== undefined)
    return this.table?.get(key)
  }

  setValue(key: symbol, value: unknown): Context {
    // A span inside a span replaces it, so that nesting makes neither a longer chain nor keeps the outer span alive.
    if (this.key === key) return new ContextNode(this.parent, key, value, this.table, this.depth)
    if (this.depth < MAX_DEPTH) return new ContextNode(this, key, value, this.table, this.depth + 1)
    return new ContextNode(undefined, key, value, tableOf(this), 1)
  }

  deleteValue(key: symbol): Context {
    return this.getValue(key) === undefined ? this : this.setValue(key, undefined)
  }
}

function tableOf(top: ContextNode): ReadonlyMap<symbol, unknown> {
  const chain: ContextNode[] = []
  for (let node: ContextNode | undefined = top; node !== undefined; node = node.parent) chain.push(node)
  const table = new Map(top.table)
  for (let i = chain.length - 1; i >= 0; i--) {
    const { key, value } = chain[i]!
    if (value === undefined) table.delete(key)
    else table.set(key, value)
  }
  return table
}

/**
 * `context` with one more entry.
 *
 * @param context any implementation; the root of the API gives one of ours, another implementation one of its own.
 * @param key as made by `createContextKey`.
 */
export function contextWithValue(context: Context, key: symbol, value: unknown): Context {
  return context === ROOT_CONTEXT
    ? new ContextNode(undefined, key, value, undefined, 1)
    : context.setValue(key, value)
}

/** `parent` with `span` as its active span: what `trace.setSpan` does, at the cost of one small object. */
export function contextWithSpan(parent: Context, span: Span): Context {
  return contextWithValue(parent, SPAN_KEY, span)
}

/** The active span of `context`, or undefined: what `trace.getSpan` does. Never throws, though context and span may be anything. */
export function spanOf(context: Context): Span | undefined {
  try {
    const span = context.getValue(SPAN_KEY) as Span | undefined
    return typeof span?.spanContext === 'function' ? span : undefined
  } catch {
    return undefined
  }
}

/** `parent` with `baggage` as its baggage: what `propagation.setBaggage` does, at the cost of one small object. */
export function contextWithBaggage(parent: Context, baggage: Baggage): Context {
  return contextWithValue(parent, BAGGAGE_KEY, baggage)
}
