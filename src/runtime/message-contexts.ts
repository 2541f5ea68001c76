/** The context of messages to Workers and children: that of whoever sent them, or none; never that in which the receiver was made. */
import { type Context, context as contextApi, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { receiveSends } from '../boundaries/child-messages.js'
import type { EnterNote, WriteNote } from '../boundaries/worker-messages.js'
import { contextWithSpan, spanOf } from '../context/context.js'
import { hexOfWord, TraceIdentity, wordOfHex } from '../core/ids.js'
import { formatTraceparent, parseTraceparent } from '../core/traceparent.js'
import { RecordedSpan } from '../recorder/span.js'

/** The active span as words: the trace id, the span id, the trace flags. */
export const writeCurrent: WriteNote = (words, at) => {
  const span = spanOf(contextApi.active())
  if (span === undefined) return false
  if (span instanceof RecordedSpan) {
    const { trace: identity, s0, s1, traceFlags } = span
    words.set([identity.w0, identity.w1, identity.w2, identity.w3, s0, s1, traceFlags], at)
    return true
  }
  const context = span.spanContext()
  if (!trace.isSpanContextValid(context)) return false
  const { traceId, spanId, traceFlags } = context
  for (let i = 0; i < 4; i++) words[at + i] = wordOfHex(traceId, 8 * i)
  words[at + 4] = wordOfHex(spanId, 0)
  words[at + 5] = wordOfHex(spanId, 8)
  words[at + 6] = traceFlags
  return true
}

/** The active span as a `traceparent`; undefined where there is none. */
export function currentTraceparent(): string | undefined {
  const span = spanOf(contextApi.active())
  return span === undefined ? undefined : formatTraceparent(span.spanContext())
}

function contextIn(words: Int32Array, at: number): Context {
  const { hex } = new TraceIdentity(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
  const spanId = hexOfWord(words[at + 4]!) + hexOfWord(words[at + 5]!)
  const parent = { traceId: hex, spanId, traceFlags: words[at + 6]! & 255, isRemote: false }
  return contextWithSpan(ROOT_CONTEXT, trace.wrapSpanContext(parent))
}

/** A thread that has no context of its own does without one where a message has none: nothing is turned on for it. */
function inContext<T>(context: Context, fn: () => T): T {
  return context === ROOT_CONTEXT && contextApi.active() === ROOT_CONTEXT
    ? fn()
    : contextApi.with(context, fn)
}

/** In a Worker, whose maker notes what is current with each message. */
export const enterNote: EnterNote = (words, at, fn) =>
  inContext(at === -1 ? ROOT_CONTEXT : contextIn(words, at), fn)

/** In a child process. */
export function receiveInChild(): void {
  receiveSends((note, fn) => {
    const parent = note === undefined ? undefined : parseTraceparent(note)
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : contextWithSpan(ROOT_CONTEXT, trace.wrapSpanContext({ ...parent, isRemote: false }))
    return inContext(context, fn)
  })
}
