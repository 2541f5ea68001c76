import { type Context, SpanStatusCode } from '@opentelemetry/api'
import { monotonicNow, now } from '../../core/clock.js'
import { count } from '../../core/counters.js'
import { ThreadspanError } from '../../core/errors.js'
import { contextWithValue } from '../context.js'
import { DEADLINE_KEY, type Deadlines, deadlines } from '../deadline.js'
import { CellSource, numberOf, processMark } from './cells.js'
import { nameOf, sourceNamed } from './files.js'
import { Scope, scopeIn, scopeOf } from './scope.js'
import { type Source, sourceOf } from './source.js'

/** Signals of one scope that cross; a note to a Worker has room for so many. */
const MOST_CROSS = 4
/** The longest text of {@link CarriedDeadline.signal} that is looked at. */
const LONGEST_TEXT = 256

/** `context` with one more limit; as it is where that limits nothing. */
function limited(context: Context, until: number, added: readonly Source[]): Context {
  const outer = scopeIn(context)
  const sources = outer?.sources ?? []
  const fresh = added.filter((source) => !sources.includes(source))
  const nearest = Math.min(outer?.until ?? Number.POSITIVE_INFINITY, until)
  if (fresh.length === 0 && nearest === (outer?.until ?? Number.POSITIVE_INFINITY)) return context
  const scope = new Scope(nearest, fresh.length === 0 ? sources : [...sources, ...fresh])
  return contextWithValue(context, DEADLINE_KEY, scope)
}

function crossing({ sources }: Scope): readonly Source[] {
  if (sources.length > MOST_CROSS) count('signal.nested', sources.length - MOST_CROSS)
  // Of those that do not fit, the outermost ones stay behind.
  return sources.slice(-MOST_CROSS)
}

/** What `performance.now()` is in this thread at a time of the clock that all threads share, and back. */
const toOwn = (at: number): number => at - monotonicNow() + now()
const toShared = (until: number): number => until - now() + monotonicNow()

/** Milliseconds that are left, for who cannot see the signals. */
function leftOf(scope: Scope): number {
  return scope.over === undefined ? scope.until - now() : Math.min(0, scope.until - now())
}

function numbersOf(scope: Scope): number[] {
  return crossing(scope)
    .map(numberOf)
    .filter((number) => number !== 0)
}

function ofNumbers(numbers: readonly number[]): Source[] {
  const { cells } = deadlines
  return cells === undefined ? [] : numbers.map((number) => new CellSource(cells, number))
}

function forProcess(scope: Scope): { readonly left: string; readonly names: string } {
  const left = leftOf(scope)
  const names = crossing(scope)
    .map(nameOf)
    .filter((name) => name !== undefined)
  return { left: left === Number.POSITIVE_INFINITY ? '' : left.toFixed(3), names: names.join() }
}

/** For threads of one process: `<its mark>:<time>:<number>,<number>`. */
const OF_THREADS = /^(\d{1,10}):([-+\d.e]{1,24}|Infinity):((?:\d{1,10}(?:,\d{1,10}){0,3})?)$/
/** For a child process: `<milliseconds> <name>,<name>`, either of which may be missing. */
const OF_PROCESSES = /^([-+\d.e]{1,24})?(?: ([\d,-]{1,256}))?$/

const words = new Int32Array(2)
const double = new Float64Array(words.buffer)

function describe(reason: unknown): { type: string; message: string } {
  if (typeof reason !== 'object' || reason === null) return { type: 'AbortError', message: 'aborted' }
  const { name, message } = reason as { name?: unknown; message?: unknown }
  return {
    type: typeof name === 'string' && name !== '' ? name : 'AbortError',
    message: typeof message === 'string' && message !== '' ? message : 'aborted',
  }
}

/** What this thread does with deadlines. */
export const implementation: Deadlines = {
  within(context, ms) {
    if (typeof ms !== 'number' || Number.isNaN(ms))
      throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'withDeadline() takes milliseconds')
    return limited(context, now() + ms, [])
  },

  under(context, signal) {
    if (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')
      throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'withSignal() takes an AbortSignal')
    const scope = scopeOf(signal)
    return scope === undefined
      ? limited(context, Number.POSITIVE_INFINITY, [sourceOf(signal)])
      : limited(context, scope.until, scope.sources)
  },

  limits: (context) => scopeIn(context) !== undefined,

  signalOf: (context) => scopeIn(context)?.signal,

  mark(span, context) {
    const over = scopeIn(context)?.over
    if (over === undefined) return
    const { type, message } = describe(over.reason)
    span.setAttribute('error.type', type)
    span.setStatus({ code: SpanStatusCode.ERROR, message })
  },

  pack(context, carrier, clone) {
    const scope = scopeIn(context)
    if (scope === undefined) return
    const left = leftOf(scope)
    if (left !== Number.POSITIVE_INFINITY) carrier.deadline = left
    if (clone) carrier.signal = `${processMark()}:${toShared(scope.until)}:${numbersOf(scope)}`
  },

  packForProcess(context, carrier) {
    const scope = scopeIn(context)
    if (scope === undefined) return
    const { left, names } = forProcess(scope)
    if (left !== '') carrier.deadline = Number(left)
    carrier.signal = ` ${names}`
  },

  unpack(context, { deadline, signal }) {
    const shared = byMark(context, signal)
    if (shared !== undefined) return shared
    // Of an environment, which holds from the start of this process on.
    const limit = signal === undefined ? undefined : byText(context, signal, 0)
    const isTime = typeof deadline === 'number' && !Number.isNaN(deadline)
    if (signal !== undefined && limit === undefined && !isTime) count('carrier.signal')
    if (deadline !== undefined && !isTime) count('carrier.deadline')
    return limited(limit ?? context, isTime ? now() + deadline : Number.POSITIVE_INFINITY, [])
  },

  textFor(context) {
    const scope = scopeIn(context)
    if (scope === undefined) return undefined
    const { left, names } = forProcess(scope)
    const text = `${left} ${names}`.trimEnd()
    return text === '' ? undefined : text
  },

  limitedByText: (context, text) => byText(context, text, now()) ?? context,

  write(context, to, at) {
    const scope = scopeIn(context)
    if (scope === undefined) return false
    double[0] = toShared(scope.until)
    to.set(words, at)
    const numbers = numbersOf(scope)
    for (let i = 0; i < MOST_CROSS; i++) to[at + 2 + i] = numbers[i] ?? 0
    return true
  },

  read(context, from, at) {
    words.set(from.subarray(at, at + 2))
    const until = toOwn(double[0]!)
    const numbers = [...from.subarray(at + 2, at + 2 + MOST_CROSS)].filter((number) => number !== 0)
    return limited(context, until, ofNumbers(numbers))
  },
}

/** Undefined where it was not made in this process. */
function byMark(context: Context, text: unknown): Context | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT) return undefined
  const [, mark, at, numbers] = OF_THREADS.exec(text) ?? []
  const until = toOwn(Number(at))
  if (Number(mark) !== processMark() || Number.isNaN(until)) return undefined
  return limited(context, until, numbers ? ofNumbers(numbers.split(',').map(Number)) : [])
}

/** @param from When the time began that it tells of, on this thread's clock. */
function byText(context: Context, text: unknown, from: number): Context | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT) return undefined
  const [whole, left, names] = OF_PROCESSES.exec(text) ?? []
  const until = left === undefined ? Number.POSITIVE_INFINITY : from + Number(left)
  if (!whole || Number.isNaN(until)) return undefined
  const sources = (names?.split(',', MOST_CROSS) ?? []).map(sourceNamed)
  return limited(
    context,
    until,
    sources.filter((source) => source !== undefined),
  )
}
