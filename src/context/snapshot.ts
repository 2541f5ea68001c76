import type { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, createContextKey, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { attempt } from '../core/attempt.js'
import { formatBaggage, parseBaggage } from '../core/baggage.js'
import { count } from '../core/counters.js'
import { ThreadspanError } from '../core/errors.js'
import { formatTraceparent, parseTraceparent } from '../core/traceparent.js'
import { ownTracestate, parseTracestate } from '../core/tracestate.js'
import { resemble } from '../hooks/imitate.js'
import { bindIteration, isGeneratorFunction } from './bind-iterator.js'
import type { Carrier } from './carrier.js'
import { contextWithBaggage, contextWithSpan, contextWithValue, spanOf } from './context.js'
import { activeContext, applyIn } from './current.js'
import { deadlines, limited } from './deadline.js'
import { ensureContextManager } from './manager.js'
import { contextWithCarriedTransaction, transactionIn } from './transaction.js'
import { packValue, type Registration, registrations, unpackValue } from './values.js'

/** Characters of a header field that are looked at; what is longer is no header of anyone's. */
const MAX_HEADER_LENGTH = 16_384

/** Values that are taken over from a carrier. */
const MAX_VALUES = 64

/** Values that arrived here and that nobody registered here: they go on to where somebody did. */
export const ARRIVED_KEY = createContextKey('threadspan arrived values')

/** The counter of carriers, and of contexts, that cannot be read. */
const UNREADABLE = 'carrier.unreadable'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type PlainValues = Readonly<Record<string, unknown>>
type Captured = { readonly list: readonly Registration[]; readonly values: readonly unknown[] }

/** By these the copies of this package in one thread read each other's snapshots, whose private fields only their own copy can. */
const ARRIVED = Symbol.for('threadspan.snapshot.arrived')
const VALUE_OF = Symbol.for('threadspan.snapshot.valueOf')

/**
 * What is current at one moment: the active OpenTelemetry Context and the registered values. Immutable.
 *
 * It is entered for the length of a call only, so that it cannot leak into the caller or into the next task of a pooled thread. What it does
 * not hold is *cleared* in there: a snapshot of nothing runs in nothing.
 */
export class Snapshot {
  /** Of nothing: the root context and no value. */
  static readonly ROOT: Snapshot = new Snapshot(ROOT_CONTEXT, undefined, undefined)

  /** The OpenTelemetry Context. */
  readonly context: Context
  readonly #captured: Captured | undefined
  readonly #arrived: PlainValues | undefined

  private constructor(context: Context, captured: Captured | undefined, arrived: PlainValues | undefined) {
    this.context = context
    this.#captured = captured
    this.#arrived = arrived
  }

  /** @internal What {@link capture} does. */
  static capture(): Snapshot {
    const context = activeContext()
    const list = registrations()
    if (list.length === 0)
      return context === ROOT_CONTEXT ? Snapshot.ROOT : new Snapshot(context, undefined, undefined)
    return new Snapshot(context, { list, values: list.map(({ storage }) => storage.getStore()) }, undefined)
  }

  /**
   * The snapshot that a carrier stands for. Never throws: what is malformed is ignored and counted, the rest is taken.
   *
   * @param carrier as it arrived; anything at all.
   * @param options `remote`: whether it comes from another service (default); false between threads and processes that are one program to
   *   their user, so that the parent span does not count as remote.
   */
  static from(carrier: unknown, options?: { readonly remote?: boolean }): Snapshot {
    if (typeof carrier !== 'object' || carrier === null) return Snapshot.ROOT
    const read = carrier as Readonly<Record<keyof Carrier, unknown>>
    return attempt(() => Snapshot.#from(read, options?.remote ?? true), UNREADABLE) ?? Snapshot.ROOT
  }

  static #from(carrier: Readonly<Record<keyof Carrier, unknown>>, isRemote: boolean): Snapshot {
    let context = ROOT_CONTEXT
    const arrived = plainValues(carrier.values)
    if (arrived !== undefined) context = contextWithValue(context, ARRIVED_KEY, arrived)
    const baggage = parseBaggage(headerText(carrier.baggage, 'carrier.baggage'))
    if (baggage !== undefined) context = contextWithBaggage(context, baggage)
    const parentText = headerText(carrier.traceparent, 'carrier.traceparent')
    const parent = parseTraceparent(parentText)
    if (parent !== undefined) {
      const { transaction } = carrier
      if (isTransaction(transaction)) {
        const { id, name } = transaction
        context = contextWithCarriedTransaction(context, { id, name, traceId: parent.traceId, isRemote })
      }
      const traceState = parseTracestate(headerText(carrier.tracestate, 'carrier.tracestate'))
      const spanContext =
        traceState === undefined ? { ...parent, isRemote } : { ...parent, traceState, isRemote }
      context = contextWithSpan(context, trace.wrapSpanContext(spanContext))
    } else if (parentText !== '') count('carrier.traceparent')
    if (carrier.deadline !== undefined || carrier.signal !== undefined)
      context = limited(context, (part) => part.unpack(context, carrier))
    return context === ROOT_CONTEXT ? Snapshot.ROOT : new Snapshot(context, undefined, arrived)
  }

  /**
   * Calls `fn` with this snapshot as what is current, in it and in all that it starts.
   *
   * @returns what `fn` returns; what it throws is thrown.
   */
  run<A extends unknown[], T>(fn: (...args: A) => T, ...args: A): T {
    return this.#enter(fn, undefined, args)
  }

  /**
   * A function that calls `fn` with this snapshot as what is current. It keeps the receiver, and has the length, the name and the own
   * properties of `fn`; called with `new` it constructs, and what a generator function makes runs each of its steps in the snapshot.
   */
  wrap<F extends (this: never, ...args: never[]) => unknown>(fn: F): F {
    const snapshot = this
    const original = fn as unknown as (...args: unknown[]) => unknown
    const isGenerator = isGeneratorFunction(fn)
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      if (new.target !== undefined) {
        const target = new.target === wrapped ? original : new.target
        return snapshot.run(() => Reflect.construct(original, args, target) as unknown)
      }
      const result = snapshot.#enter(original, this, args)
      return isGenerator ? bindIteration(result as object, (step) => snapshot.run(step)) : result
    }
    resemble(wrapped, fn)
    return wrapped as unknown as F
  }

  /**
   * One like this in which a registered AsyncLocalStorage has another value.
   *
   * @param value undefined for none.
   * @throws ThreadspanError `THREADSPAN_VALUE_UNREGISTERED`.
   */
  with<T>(storage: AsyncLocalStorage<T>, value: T | undefined): Snapshot {
    const list = registrations()
    if (!list.some((registration) => registration.storage === storage)) {
      throw new ThreadspanError(
        'THREADSPAN_VALUE_UNREGISTERED',
        'Call propagate() with this AsyncLocalStorage first',
      )
    }
    const values = list.map((registration, i) =>
      registration.storage === storage ? value : this.#valueOf(registration, i),
    )
    return new Snapshot(this.context, { list, values }, this.#arrived)
  }

  /** One like this with another OpenTelemetry Context. */
  withContext(context: Context): Snapshot {
    return new Snapshot(context, this.#captured, this.#arrived)
  }

  /**
   * Its plain form. Values that have none are left out and counted.
   *
   * @param options `clone`: the carrier goes by structured clone to a thread or process of this program, so that values may be what JSON has no form for.
   */
  toCarrier(options?: { readonly clone?: boolean }): Carrier {
    const carrier: Writable<Carrier> = {}
    // Anybody can put anything into a context, or make something else the active one: it must not keep a Worker or a task from being made.
    attempt(() => this.#addTrace(carrier), UNREADABLE)
    const baggage = attempt(() => propagation.getBaggage(this.context), UNREADABLE)
    const baggageText = baggage === undefined ? '' : formatBaggage(baggage)
    if (baggageText !== '') carrier.baggage = baggageText
    const isClone = options?.clone === true
    const values = this.#packedValues(isClone ? 'clone' : 'json')
    if (values !== undefined) carrier.values = values
    attempt(() => deadlines.part?.pack(this.context, carrier, isClone), UNREADABLE)
    return carrier
  }

  #addTrace(carrier: Writable<Carrier>): void {
    const span = spanOf(this.context)?.spanContext()
    const traceparent = span === undefined ? undefined : formatTraceparent(span)
    if (traceparent !== undefined) {
      carrier.traceparent = traceparent
      const tracestate = ownTracestate(span!.traceState)?.serialize()
      if (tracestate) carrier.tracestate = tracestate
      const transaction = transactionIn(this.context)
      // Its trace is told by traceparent alone; inside a transaction a span can be the root of another trace.
      if (transaction?.traceId === span!.traceId)
        carrier.transaction = { id: transaction.id, name: transaction.name }
    }
  }

  /** Whether the other one holds the same context and the same values, by identity. */
  equals(other: Snapshot): boolean {
    if (this === other) return true
    return (
      this.context === other.context &&
      this.#arrived === other[ARRIVED] &&
      registrations().every((registration, i) =>
        Object.is(this.#valueOf(registration, i), other[VALUE_OF](registration, i)),
      )
    )
  }

  /** @internal */
  get [ARRIVED](): PlainValues | undefined {
    return this.#arrived
  }

  /** @internal */
  [VALUE_OF](registration: Registration, index: number): unknown {
    return this.#valueOf(registration, index)
  }

  #enter<A extends unknown[], T>(fn: (...args: A) => T, thisArg: unknown, args: A): T {
    if (this.context !== ROOT_CONTEXT) ensureContextManager()
    const list = registrations()
    return list.length === 0
      ? applyIn(this.context, fn, thisArg, args)
      : this.#enterValues(list, 0, fn, thisArg, args)
  }

  #enterValues<A extends unknown[], T>(
    list: readonly Registration[],
    from: number,
    fn: (...args: A) => T,
    thisArg: unknown,
    args: A,
  ): T {
    for (let i = from; i < list.length; i++) {
      const { storage } = list[i]!
      const value = this.#valueOrNone(list[i]!, i)
      // A storage that has the value already is not run: on Node 20 the first run of one turns `async_hooks` on.
      if (!Object.is(storage.getStore(), value)) {
        return storage.run(value, () => this.#enterValues(list, i + 1, fn, thisArg, args))
      }
    }
    return applyIn(this.context, fn, thisArg, args)
  }

  #valueOrNone(registration: Registration, index: number): unknown {
    const value = this.#valueOf(registration, index)
    return value === undefined ? registration.none : value
  }

  /** @param index where the registration stands in the current list, and mostly stood in that of the capture. */
  #valueOf(registration: Registration, index: number): unknown {
    const captured = this.#captured
    if (captured !== undefined) {
      const at = captured.list[index] === registration ? index : captured.list.indexOf(registration)
      if (at !== -1) return captured.values[at]
    }
    const arrived = this.#arrived
    if (arrived === undefined || !Object.hasOwn(arrived, registration.name)) return undefined
    return unpackValue(registration, arrived[registration.name])
  }

  #packedValues(form: 'json' | 'clone'): PlainValues | undefined {
    const list = registrations()
    const arrived = attempt(() => this.context.getValue(ARRIVED_KEY) as PlainValues | undefined, UNREADABLE)
    if (list.length === 0) return arrived
    const packed: Record<string, unknown> = {}
    for (const name in arrived) {
      if (!list.some((registration) => registration.name === name)) packed[name] = arrived[name]
    }
    for (let i = 0; i < list.length; i++) {
      const value = this.#valueOf(list[i]!, i)
      const isNone = value === undefined || Object.is(value, list[i]!.none)
      const plain = isNone ? undefined : packValue(list[i]!, value, form)
      if (plain !== undefined) packed[list[i]!.name] = plain
    }
    for (const _ in packed) return packed
    return undefined
  }
}

/** The snapshot of what is current here and now: the active OpenTelemetry Context, and the values registered by `propagate`. */
export function capture(): Snapshot {
  return Snapshot.capture()
}

function headerText(value: unknown, cause: string): string {
  if (value === undefined) return ''
  if (typeof value === 'string' && value.length <= MAX_HEADER_LENGTH) return value
  count(cause)
  return ''
}

function isTransaction(value: unknown): value is { id: string; name: string } {
  if (value === undefined) return false
  const { id, name } = (value ?? {}) as { id?: unknown; name?: unknown }
  const valid =
    typeof id === 'string' && /^[0-9a-f]{16}$/.test(id) && typeof name === 'string' && name.length <= 1024
  if (!valid) count('carrier.transaction')
  return valid
}

function plainValues(values: unknown): PlainValues | undefined {
  if (values === undefined) return undefined
  if (typeof values !== 'object' || values === null) {
    count('carrier.values')
    return undefined
  }
  const taken: Record<string, unknown> = {}
  const entries = Object.entries(values)
  if (entries.length > MAX_VALUES) count('carrier.values', entries.length - MAX_VALUES)
  for (const [name, value] of entries.slice(0, MAX_VALUES)) if (name !== '__proto__') taken[name] = value
  return entries.length === 0 ? undefined : taken
}
