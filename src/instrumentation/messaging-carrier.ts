/** What goes along with a message to wherever it is received: what the propagators give, and the registered values. */
import { type Context, propagation, type Span, type TextMapGetter } from '@opentelemetry/api'
import { contextWithBaggage, contextWithSpan, contextWithValue } from '../context/context.js'
import { ARRIVED_KEY, capture, Snapshot } from '../context/snapshot.js'
import { count } from '../core/counters.js'

/** The header, or option, that has the registered values. The others are those of the propagators (`OTEL_PROPAGATORS`). */
export const VALUES_FIELD = 'threadspan'

/** Characters of values that are read. All that may travel, escaped as JSON, is less. */
const MOST_VALUES = 4 << 20

/** Fields by their names, as they arrived: anything at all. */
export type Fields = Readonly<Record<string, unknown>>

/** Header fields may be text or bytes, and in some libraries several of one name. */
const getter: TextMapGetter<Fields> = {
  keys: (fields) => Object.keys(fields),
  get(fields, key) {
    const value = Object.hasOwn(fields, key) ? fields[key] : undefined
    const texts = (Array.isArray(value) ? value : [value])
      .map((each: unknown) => (each instanceof Uint8Array ? Buffer.from(each).toString() : each))
      .filter((each) => typeof each === 'string')
    return texts.length > 1 ? texts : texts[0]
  },
}

/** The names that a sender which has a context of its own has set one of. */
export function hasContext(fields: Fields): boolean {
  return propagation.fields().some((name) => name !== 'baggage' && Object.hasOwn(fields, name))
}

/** What the propagators give of `context`, with `span` as the active one. */
export function fieldsOf(context: Context, span: Span): Record<string, string> {
  const fields: Record<string, string> = {}
  propagation.inject(contextWithSpan(context, span), fields)
  return fields
}

/** The registered values, as text; undefined where there are none. */
export function valuesText(): string | undefined {
  const { traceparent, tracestate, baggage, transaction, ...rest } = capture().toCarrier()
  return Object.keys(rest).length === 0 ? undefined : JSON.stringify(rest)
}

/** The snapshot that a message's fields stand for: its context is what the propagators read. Never throws. */
export function arrivedSnapshot(fields: Fields, values: unknown): Snapshot {
  const snapshot = snapshotOfValues(values)
  return snapshot.withContext(propagation.extract(snapshot.context, fields, getter))
}

/** The same in `context`, whose span stays the active one. */
export function arrivedIn(context: Context, fields: Fields, values: unknown): Snapshot {
  const snapshot = arrivedSnapshot(fields, values)
  const arrived = snapshot.context.getValue(ARRIVED_KEY)
  const baggage = propagation.getBaggage(snapshot.context)
  let inside = context
  if (arrived !== undefined) inside = contextWithValue(inside, ARRIVED_KEY, arrived)
  if (baggage !== undefined) inside = contextWithBaggage(inside, baggage)
  return snapshot.withContext(inside)
}

function snapshotOfValues(values: unknown): Snapshot {
  const text = values instanceof Uint8Array ? Buffer.from(values).toString() : values
  if (text === undefined || text === null) return Snapshot.ROOT
  try {
    if (typeof text !== 'string' || text.length > MOST_VALUES) throw new TypeError('Not the text of values')
    const { values } = JSON.parse(text) as { values?: unknown }
    return Snapshot.from({ values })
  } catch {
    count('carrier.values')
    return Snapshot.ROOT
  }
}
