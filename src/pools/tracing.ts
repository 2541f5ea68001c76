import {
  type Context,
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Carrier } from '../context/carrier.js'
import { contextWithSpan, spanOf } from '../context/context.js'
import { deadlines } from '../context/deadline.js'
import { recordCrossed, recordError, rememberCrossed } from '../context/exception.js'
import { ensureContextManager } from '../context/manager.js'
import { type Ended, isThenable, watchPromise } from '../context/settled.js'
import { ARRIVED_KEY, capture, Snapshot } from '../context/snapshot.js'
import { contextWithCarriedTransaction, transactionIn } from '../context/transaction.js'
import { registrations } from '../context/values.js'
import { describeCrossed, describeException } from '../exceptions/exception.js'
import type { PoolTracing } from './adapter.js'
import { holdTask } from './held-task.js'

/** What most tasks carry: their parent span, the monotonic milliseconds of the submission, and their transaction. */
type ShortWire = readonly [
  traceId: string,
  spanId: string,
  traceFlags: number,
  at: number,
  transactionId: string,
  transactionName: string,
]

/** What a task carries if there is baggage, a trace state or a registered value. `at` is 0 if it makes no span. */
interface LongWire {
  readonly at: number
  readonly carrier: Carrier
}

interface Submitted {
  readonly span: Span | undefined
  /** Where it was submitted. */
  readonly context: Context
  /** What was active there. */
  readonly parent: Span | undefined
  readonly wire: ShortWire | LongWire
}

/** Milliseconds on the clock that all threads of a machine share, which `performance.now()` is not. */
function monotonic(): number {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1e3 + nanos / 1e6
}

/**
 * Pool tracing by means of OpenTelemetry's API: whatever SDK is registered makes the spans.
 *
 * Each task gives two spans of kind INTERNAL. `task <name>` lasts from the submission until the outcome is back and carries
 * `threadspan.pool` and `threadspan.task`; `run <name>`, its child in the worker, lasts while the handler runs and carries
 * `threadspan.queue.wait`, the milliseconds from submission to start. The parent of the latter is not remote: a thread is not
 * a service of its own. A task that is submitted outside of any span makes none; baggage and values travel all the same.
 *
 * @param tracer Makes both spans.
 */
export function apiTracing(tracer: Tracer): PoolTracing {
  return {
    submit(pool, task) {
      try {
        const active = contextApi.active()
        if (active === ROOT_CONTEXT && registrations().length === 0) return undefined
        const parent = spanOf(active)
        if (parent === undefined) {
          const carrier = capture().toCarrier({ clone: true })
          return isEmpty(carrier)
            ? undefined
            : ({ span: undefined, context: active, parent, wire: { at: 0, carrier } } satisfies Submitted)
        }
        const { submitted, options } = labelsOf(pool, task)
        const span = tracer.startSpan(submitted, options, active)
        return { span, context: active, parent, wire: wireOf(active, span) } satisfies Submitted
      } catch {
        return undefined
      }
    },

    hold: (pool, task) => holdTask(tracer, pool, task),

    wire(submission, isProcess) {
      const { context, wire } = submission as Submitted
      if (isProcess === true && isLong(wire)) deadlines.part?.packForProcess(context, wire.carrier)
      return wire
    },

    settle(submission) {
      const { context, span } = submission as Submitted
      if (span === undefined) return
      deadlines.part?.mark(span, context)
      span.end()
    },

    fail(submission, error, origin, notes) {
      const { span, parent } = submission as Submitted
      const description = notes && describeCrossed(notes.told, notes.awaiting)
      if (span === undefined) {
        if (description !== undefined) rememberCrossed(error, description)
        return
      }
      if (description !== undefined) recordCrossed(span, error, description, parent)
      else if (origin === 'pool') recordError(span, error)
      else markFailed(span, origin === 'abort' ? ABORT : error)
      span.end()
    },

    run(wire, task, handler, input) {
      if (!isLong(wire)) return runShort(tracer, wire as ShortWire | undefined, task, handler, input)
      const { at, carrier } = wire
      return Snapshot.from(carrier, { remote: false }).run(() =>
        at === 0 ? handler(input) : runInSpan(tracer, contextApi.active(), at, task, handler, input),
      )
    },

    tell: describeException,
  }
}

/** What the spans of a task are called and described by: made once, not for each submission. */
interface Labels {
  readonly pool: string
  readonly submitted: string
  readonly ran: string
  readonly options: SpanOptions
}

/** Adapters bound the names that they make up; whoever does not shall not fill this map. */
const MAX_LABELS = 1000

const labels = new Map<string, Labels>()

function labelsOf(pool: string, task: string): Labels {
  let known = labels.get(task)
  if (known === undefined || known.pool !== pool) {
    if (labels.size >= MAX_LABELS) labels.clear()
    const attributes = { 'threadspan.pool': pool, 'threadspan.task': task }
    const options = { kind: SpanKind.INTERNAL, attributes }
    known = { pool, submitted: `task ${task}`, ran: `run ${task}`, options }
    labels.set(task, known)
  }
  return known
}

function isEmpty(carrier: Carrier): boolean {
  for (const _ in carrier) return false
  return true
}

function isLong(wire: unknown): wire is LongWire {
  return typeof wire === 'object' && wire !== null && !Array.isArray(wire)
}

function wireOf(active: Context, span: Span): ShortWire | LongWire {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const at = monotonic()
  if (
    traceState !== undefined ||
    registrations().length > 0 ||
    propagation.getBaggage(active) !== undefined ||
    active.getValue(ARRIVED_KEY) !== undefined ||
    deadlines.part?.limits(active) === true
  ) {
    const snapshot = capture().withContext(contextWithSpan(active, span))
    return { at, carrier: snapshot.toCarrier({ clone: true }) }
  }
  const transaction = transactionIn(active)
  return transaction?.traceId === traceId
    ? [traceId, spanId, traceFlags, at, transaction.id, transaction.name]
    : [traceId, spanId, traceFlags, at, '', '']
}

function runShort<I, O>(
  tracer: Tracer,
  wire: ShortWire | undefined,
  task: string,
  handler: (input: I) => O,
  input: I,
): O {
  if (wire === undefined) return inContext(ROOT_CONTEXT, () => handler(input))
  // By index: the iterator of a destructuring pattern is not optimised away in a function that runs now and then.
  const traceId = wire[0]
  const id = wire[4]
  let parent = ROOT_CONTEXT
  if (id !== '') {
    parent = contextWithCarriedTransaction(parent, { id, name: wire[5], traceId, isRemote: false })
  }
  const spanContext = { traceId, spanId: wire[1], traceFlags: wire[2], isRemote: false }
  parent = contextWithSpan(parent, trace.wrapSpanContext(spanContext))
  return runInSpan(tracer, parent, wire[3], task, handler, input)
}

function inContext<O>(context: Context, fn: () => O): O {
  ensureContextManager()
  return contextApi.with(context, fn as () => ReturnType<typeof fn>) as O
}

function runInSpan<I, O>(
  tracer: Tracer,
  parent: Context,
  at: number,
  task: string,
  handler: (input: I) => O,
  input: I,
): O {
  let span: Span
  try {
    const attributes = { 'threadspan.queue.wait': Math.max(0, monotonic() - at) }
    span = tracer.startSpan(
      (labels.get(task) ?? labelsOf('', task)).ran,
      { kind: SpanKind.INTERNAL, attributes },
      parent,
    )
  } catch {
    return inContext(parent, () => handler(input))
  }
  return inContext(contextWithSpan(parent, span), () => callInSpan(span, handler, input))
}

/** Calls a task's handler and ends `span`, its run, when the outcome is there; errors are recorded on it and thrown on. */
export function callInSpan<I, O>(span: Span, handler: (input: I) => O, input: I): O {
  let result: O
  try {
    result = handler(input)
  } catch (error) {
    recordError(span, error)
    span.end()
    throw error
  }
  const ended: Ended = (failure) => {
    if (failure !== undefined) recordError(span, failure.error)
    else deadlines.part?.mark(span, contextApi.active())
    span.end()
  }
  // The pool waits for what the handler returns: its own promise goes back as it is. Any other thenable may do its work anew for each
  // `then()`, as query builders do, and gets only one, here where its context is.
  if (watchPromise(result, ended)) return result
  if (!isThenable(result)) {
    ended()
    return result
  }
  const promise = Promise.resolve(result)
  watchPromise(promise, ended)
  return promise as O
}

const ABORT = Object.assign(new Error('The task was aborted'), { name: 'AbortError' })

/**
 * Marks a span as failed without an `exception` event: what the handler threw is recorded by its own span, in the worker, and
 * giving a task up is no error of the program's.
 */
function markFailed(span: Span, error: unknown): void {
  try {
    const known = error instanceof Error
    span.setAttribute('error.type', known ? error.name : typeof error)
    span.setStatus({ code: SpanStatusCode.ERROR, message: known ? error.message : String(error) })
  } catch {
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
}
