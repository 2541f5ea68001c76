/**
 * Pool tracing by means of our own recorder, for what nearly every task is: submitted below a span of this thread's, with
 * nothing to carry but the trace. Ids cross as the words they are, and no object is made on the way that nobody asks for.
 * Everything else goes the general way, `pools/tracing.ts`.
 */
import { propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { contextWithSpan, spanOf } from '../context/context.js'
import { activeContext, applyIn } from '../context/current.js'
import { deadlines } from '../context/deadline.js'
import { ARRIVED_KEY } from '../context/snapshot.js'
import { namedTransaction } from '../context/transaction.js'
import { registrations } from '../context/values.js'
import { epochMs, now } from '../core/clock.js'
import { hexOfWord, TraceIdentity } from '../core/ids.js'
import { VERSION } from '../core/version.js'
import type { PoolTracing, Submission } from '../pools/adapter.js'
import { apiTracing, callInSpan } from '../pools/tracing.js'
import { CarriedTransaction, RecordedSpan } from '../recorder/span.js'
import type { RecorderTracer } from '../recorder/tracer.js'
import { currentRuntime, ownTracer, SCOPE } from './runtime.js'

/**
 * Words of the trace id and the span id, trace flags, milliseconds of the submission since the epoch, then the transaction: words
 * of its id, both 0 for none, and its name.
 */
type WordWire = readonly [
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  s0: number,
  s1: number,
  flags: number,
  at: number,
  t0: number,
  t1: number,
  name: string,
]

class WordSubmission {
  constructor(
    readonly span: RecordedSpan,
    readonly parent: RecordedSpan,
    readonly transaction: RecordedSpan | CarriedTransaction,
  ) {}
}

/** The pool tracing of this thread, whose runtime has been started. */
export function poolTracing(): PoolTracing {
  const tracer = currentRuntime()?.recorder?.getTracer(SCOPE, VERSION)
  return taskTracing(tracer, apiTracing(ownTracer()))
}

/**
 * @param tracer Our recorder's, for our own spans; undefined where this thread does not record.
 * @param general Takes what is not plain, and wires of its own making.
 */
function taskTracing(tracer: RecorderTracer | undefined, general: PoolTracing): PoolTracing {
  const labels = new Map<string, { readonly submitted: string; readonly ran: string }>()
  const labelsOf = (task: string): { readonly submitted: string; readonly ran: string } => {
    let known = labels.get(task)
    if (known === undefined) {
      if (labels.size >= MAX_LABELS) labels.clear()
      known = { submitted: `task ${task}`, ran: `run ${task}` }
      labels.set(task, known)
    }
    return known
  }
  let lastIdentity = new TraceIdentity(0, 0, 0, 0)

  return {
    submit(pool, task): Submission | undefined {
      const plain = tracer === undefined ? undefined : plainParent()
      if (plain === undefined) return general.submit(pool, task)
      const span = tracer!.startBelow(plain.parent, labelsOf(task).submitted, ['threadspan.pool', pool])
      return span === undefined
        ? general.submit(pool, task)
        : new WordSubmission(span, plain.parent, plain.transaction)
    },

    hold: (pool, task) => general.hold(pool, task),

    wire(submission, isProcess) {
      if (!(submission instanceof WordSubmission)) return general.wire(submission, isProcess)
      const { span, transaction } = submission
      const { w0, w1, w2, w3 } = span.trace
      const isCarried = transaction instanceof CarriedTransaction
      return [
        w0,
        w1,
        w2,
        w3,
        span.s0,
        span.s1,
        span.traceFlags,
        epochMs(span.start, span.origin),
        isCarried ? transaction.t0 : transaction.s0,
        isCarried ? transaction.t1 : transaction.s1,
        transaction.name,
      ] satisfies WordWire
    },

    settle(submission) {
      if (submission instanceof WordSubmission) submission.span.end()
      else general.settle(submission)
    },

    fail(submission, error, origin, notes) {
      // Of a submission it looks at the span and its parent alone.
      general.fail(submission, error, origin, notes)
    },

    tell: (error) => general.tell(error),

    run(wire, task, handler, input) {
      if (!Array.isArray(wire) || typeof wire[0] !== 'number') return general.run(wire, task, handler, input)
      const [w0, w1, w2, w3] = wire as unknown as WordWire
      if (tracer === undefined) return general.run(inHex(wire as unknown as WordWire), task, handler, input)
      const last = lastIdentity
      if (last.w3 !== w3 || last.w2 !== w2 || last.w1 !== w1 || last.w0 !== w0)
        lastIdentity = new TraceIdentity(w0, w1, w2, w3)
      const start = now()
      const span = tracer.startCarried(lastIdentity, wire[4], wire[5], wire[6], labelsOf(task).ran, start, [
        'threadspan.queue.wait',
        Math.max(0, epochMs(start) - wire[7]),
      ])
      if (span === undefined) return general.run(inHex(wire as unknown as WordWire), task, handler, input)
      span.carried = new CarriedTransaction(wire[8], wire[9], wire[10])
      return applyIn(
        contextWithSpan(ROOT_CONTEXT, span),
        callInSpan as typeof callInSpan<typeof input, ReturnType<typeof handler>>,
        undefined,
        [span, handler, input],
      )
    },
  }
}

/** Adapters bound the names that they make up; whoever does not shall not fill this map. */
const MAX_LABELS = 1000

/** The span below which a task is submitted, and the transaction it belongs to, if there is nothing else to carry. */
function plainParent():
  | { readonly parent: RecordedSpan; readonly transaction: RecordedSpan | CarriedTransaction }
  | undefined {
  const active = activeContext()
  const parent = spanOf(active)
  if (
    !(parent instanceof RecordedSpan) ||
    parent.traceState !== undefined ||
    registrations().length > 0 ||
    propagation.getBaggage(active) !== undefined ||
    active.getValue(ARRIVED_KEY) !== undefined ||
    deadlines.part?.limits(active) === true
  )
    return undefined
  const named = namedTransaction(active)
  if (named === undefined) return { parent, transaction: parent.localRoot.carried ?? parent.localRoot }
  const { span } = named
  return span instanceof RecordedSpan && span.trace === parent.trace
    ? { parent, transaction: span }
    : undefined
}

/** The form that the general way reads. */
function inHex([w0, w1, w2, w3, s0, s1, flags, , t0, t1, name]: WordWire): unknown {
  const id = t0 === 0 && t1 === 0 ? '' : hexOfWord(t0) + hexOfWord(t1)
  const traceId = new TraceIdentity(w0, w1, w2, w3).hex
  const [seconds, nanos] = process.hrtime()
  return [traceId, hexOfWord(s0) + hexOfWord(s1), flags, seconds * 1e3 + nanos / 1e6, id, name]
}
