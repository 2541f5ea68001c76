/** The context of messages to Workers and children: that of whoever sent them, or none; never that in which the receiver was made. */
import { type Context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api'
import { receiveSends } from '../boundaries/child-messages.js'
import type { EnterNote, WriteNote } from '../boundaries/worker-messages.js'
import { contextWithSpan, spanOf } from '../context/context.js'
import { activeContext, callIn } from '../context/current.js'
import { deadlines, limited } from '../context/deadline.js'
import { contextWithCarriedTransaction, namedTransaction, transactionIn } from '../context/transaction.js'
import { hexOfWord, TraceIdentity, wordOfHex } from '../core/ids.js'
import { formatTraceparent, parseTraceparent } from '../core/traceparent.js'
import { parentContextOf } from '../recorder/input.js'
import { RecordedSpan } from '../recorder/span.js'

/** Set among the trace flags where a deadline follows, and where there is nothing but it. */
const LIMITED = 256
const NO_SPAN = 512
const DEADLINE_AT = 9

/**
 * The active span as words: the trace id, the span id, the trace flags; the id of the transaction, or zeros; and what limits the work, if
 * anything does.
 */
export const writeCurrent: WriteNote = (words, at) => {
  const active = activeContext()
  const isWritten = writeSpan(active, words, at)
  if (deadlines.part?.write(active, words, at + DEADLINE_AT) !== true) return isWritten
  words[at + 6] = isWritten ? words[at + 6]! | LIMITED : LIMITED | NO_SPAN
  return true
}

function writeSpan(active: Context, words: Int32Array, at: number): boolean {
  const span = spanOf(active)
  if (span === undefined) return false
  writeTransaction(active, span, words, at + 7)
  if (span instanceof RecordedSpan) {
    const { trace: identity, s0, s1, traceFlags } = span
    words.set([identity.w0, identity.w1, identity.w2, identity.w3, s0, s1, traceFlags], at)
    return true
  }
  const context = parentContextOf(span)
  if (context === undefined) return false
  const { traceId, spanId, traceFlags } = context
  for (let i = 0; i < 4; i++) words[at + i] = wordOfHex(traceId, 8 * i)
  words[at + 4] = wordOfHex(spanId, 0)
  words[at + 5] = wordOfHex(spanId, 8)
  words[at + 6] = traceFlags
  return true
}

function writeTransaction(active: Context, span: Span, words: Int32Array, at: number): void {
  const named = namedTransaction(active)
  const root = named === undefined && span instanceof RecordedSpan ? span.localRoot : undefined
  const { carried } = root ?? {}
  words[at] = named === undefined ? (carried?.t0 ?? root?.s0 ?? 0) : wordOfHex(named.id, 0)
  words[at + 1] = named === undefined ? (carried?.t1 ?? root?.s1 ?? 0) : wordOfHex(named.id, 8)
}

/**
 * The active span as a `traceparent`, the id of the transaction, and what limits the work, with blanks between them; a `-` for what there is
 * not. Undefined where there is neither span nor limit.
 */
export function currentNote(): string | undefined {
  const active = activeContext()
  const limit = deadlines.part?.textFor(active)
  const span = spanOf(active)
  const parent = span && parentContextOf(span)
  const traceparent = parent && formatTraceparent(parent)
  if (traceparent === undefined) return limit === undefined ? undefined : `- - ${limit}`
  const note = `${traceparent} ${transactionIn(active)?.id ?? '-'}`
  return limit === undefined ? note : `${note} ${limit}`
}

function contextIn(words: Int32Array, at: number): Context {
  const flags = words[at + 6]!
  const context = (flags & NO_SPAN) === 0 ? spanIn(words, at) : ROOT_CONTEXT
  return (flags & LIMITED) === 0
    ? context
    : limited(context, (part) => part.read(context, words, at + DEADLINE_AT))
}

function spanIn(words: Int32Array, at: number): Context {
  const { hex } = new TraceIdentity(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
  const spanId = hexOfWord(words[at + 4]!) + hexOfWord(words[at + 5]!)
  const parent = { traceId: hex, spanId, traceFlags: words[at + 6]! & 255, isRemote: false }
  const t0 = words[at + 7]!
  const t1 = words[at + 8]!
  return contextBelow(parent, t0 === 0 && t1 === 0 ? undefined : hexOfWord(t0) + hexOfWord(t1))
}

/** Below a span, in a transaction whose name did not come along. */
function contextBelow(parent: SpanContext, id: string | undefined): Context {
  const context = contextWithSpan(ROOT_CONTEXT, trace.wrapSpanContext({ ...parent, isRemote: false }))
  if (id === undefined) return context
  return contextWithCarriedTransaction(context, { id, traceId: parent.traceId, name: '', isRemote: false })
}

/** A thread that has no context of its own does without one where a message has none: nothing is turned on for it. */
function inContext<T>(context: Context, fn: () => T): T {
  return context === ROOT_CONTEXT && activeContext() === ROOT_CONTEXT ? fn() : callIn(context, fn, undefined)
}

/** In a Worker, whose maker notes what is current with each message. */
export const enterNote: EnterNote = (words, at, fn) =>
  inContext(at === -1 ? ROOT_CONTEXT : contextIn(words, at), fn)

const SPAN_ID = /^[0-9a-f]{16}$/

/** In a child process. */
export function receiveInChild(): void {
  receiveSends((note, fn) => {
    const [traceparent, id, ...limit] = note?.split(' ', 4) ?? []
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent)
    const known = id !== undefined && SPAN_ID.test(id) ? id : undefined
    const context = parent === undefined ? ROOT_CONTEXT : contextBelow(parent, known)
    const text = limit.join(' ')
    return inContext(
      text === '' ? context : limited(context, (part) => part.limitedByText(context, text)),
      fn,
    )
  })
}
