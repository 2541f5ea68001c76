import { dirname } from 'node:path'
import { type Context, context as contextApi, createContextKey, type Span } from '@opentelemetry/api'
import { ownFile } from '../core/own-files.js'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { loadPart } from '../hooks/parts.js'
import { ensureContextManager } from './manager.js'

/** What a carrier holds of a deadline; see `Carrier`. */
export interface CarriedDeadline {
  deadline?: number
  signal?: string
}

/** What knows of deadlines: in a file of its own, since most threads never hear of one. */
export interface Deadlines {
  /** `context` with a deadline in so many milliseconds. @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT`. */
  within(context: Context, ms: number): Context
  /** `context` under one more signal. @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT`. */
  under(context: Context, signal: AbortSignal): Context
  limits(context: Context): boolean
  /** Undefined where nothing limits `context`. */
  signalOf(context: Context): AbortSignal | undefined
  /** Says on a span that its work ended too late, if it did. */
  mark(span: Span, context: Context): void
  /** Adds to a carrier. `clone`: it stays in this program. */
  pack(context: Context, carrier: CarriedDeadline, clone: boolean): void
  /** Puts in the place of what is in a carrier what another process can read. */
  packForProcess(context: Context, carrier: CarriedDeadline): void
  /** `context` limited as the carrier says. Ignores what is malformed. */
  unpack(context: Context, carrier: { readonly deadline?: unknown; readonly signal?: unknown }): Context
  /** The text for a child process; undefined where nothing limits `context`. */
  textFor(context: Context): string | undefined
  /** `context` limited as such a text says that was written just now. */
  limitedByText(context: Context, text: string): Context
  /** Writes into a note to a Worker: six words. @returns whether it has. */
  write(context: Context, words: Int32Array, at: number): boolean
  read(context: Context, words: Int32Array, at: number): Context
}

/** Under which a context holds its deadline. */
export const DEADLINE_KEY = createContextKey('threadspan deadline')

interface State {
  /** Once there is, or was, a deadline here. */
  part?: Deadlines
  /** Memory that all threads of this process share, where one has been given to it. */
  cells?: Int32Array
  /** The folder that this process shares with its descendants; `make`: also where there is none so far. */
  folder?: (make: boolean) => string | undefined
}

/** This thread's. */
export const deadlines = shared('context.deadlines', (): State => ({}))

interface Part {
  start(api: typeof contextApi): Deadlines
}

/** Loads what knows of deadlines. @throws ThreadspanError `THREADSPAN_BUNDLED`. */
function load(): Deadlines {
  const file = ownFile('deadlines.cjs')
  deadlines.part ??= loadPart<Part>(dirname(file), 'deadlines.cjs').start(contextApi)
  return deadlines.part
}

/** `context` limited by what has come with the work; as it is where that cannot be had. */
export function limited(context: Context, by: (part: Deadlines) => Context): Context {
  return guarded('deadline', () => by(load())) ?? context
}

function enter<T>(context: Context, fn: () => T): T {
  ensureContextManager()
  return contextApi.with(context, fn as () => ReturnType<typeof fn>) as T
}

/**
 * Calls `fn` under a deadline: {@link currentSignal} in there, and in all that it sets in motion, in other threads and processes as well, aborts
 * when the time is up. Inside of another deadline the nearer one counts.
 *
 * Requests that go out through `fetch`, `node:http` and undici in there are aborted then. Nothing else ends by itself: who works on looks at the signal.
 *
 * @param ms Milliseconds from now; `Infinity` for none.
 * @returns what `fn` returns; what it throws is thrown.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` where `ms` is no number.
 */
export function withDeadline<T>(ms: number, fn: () => T): T {
  return enter(load().within(contextApi.active(), ms), fn)
}

/**
 * Calls `fn` under a signal, as {@link withDeadline} does under a deadline: {@link currentSignal} aborts when `signal` does, or any that was current before.
 *
 * The reason goes along as it is within the thread; others get one of the same kind, a `TimeoutError` or an `AbortError`.
 *
 * @returns what `fn` returns; what it throws is thrown.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` where `signal` is no AbortSignal.
 */
export function withSignal<T>(signal: AbortSignal, fn: () => T): T {
  return enter(load().under(contextApi.active(), signal), fn)
}

/**
 * The signal of what the current work is done for: it aborts as the caller's does, in whichever thread or process that is, or when the deadline is
 * reached. Outside of any, one that never aborts.
 *
 * `aborted` tells the truth also where the thread is busy and its timers and messages have to wait.
 */
export function currentSignal(): AbortSignal {
  // First: it may be what sets this thread up.
  const active = contextApi.active()
  return deadlines.part?.signalOf(active) ?? new AbortController().signal
}
