import {
  type Context,
  context as contextApi,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TraceState,
  trace,
} from '@opentelemetry/api'
import type { PoolTracing } from './adapter.js'

/**
 * What travels with a task besides its span context and baggage: values of the user's, the transaction's name. Neither
 * function may throw.
 */
export interface Luggage {
  /** In the submitter's context. @returns Something structured-cloneable, or undefined if there is nothing. */
  pack(active: Context): unknown
  /** In the worker: calls `run` with everything in place that `packed` holds. */
  unpack<R>(packed: unknown, run: () => R): R
}

/** Options of {@link apiTracing}. */
export interface ApiTracingOptions {
  /** Makes both spans of a task. */
  readonly tracer: Tracer
  readonly luggage?: Luggage
}

interface Submitted {
  readonly span: Span | undefined
  readonly wire: Wire
}

/** Span context and time of submission; `more` only where there is more. */
type Wire = [traceId: string, spanId: string, flags: number, at: number, more?: More]

interface More {
  readonly state?: string
  readonly baggage?: [key: string, value: string, metadata: string][]
  readonly luggage?: unknown
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
 * a service of its own. A task that is submitted outside of any span makes none; its baggage and luggage travel all the same.
 */
export function apiTracing({ tracer, luggage }: ApiTracingOptions): PoolTracing {
  function moreOf(active: Context, state: TraceState | undefined): More | undefined {
    const baggage = propagation.getBaggage(active)?.getAllEntries()
    const packed = luggage?.pack(active)
    if (state === undefined && (baggage === undefined || baggage.length === 0) && packed === undefined)
      return undefined
    return {
      ...(state && { state: state.serialize() }),
      ...(baggage?.length && {
        baggage: baggage.map(([key, entry]) => [key, entry.value, entry.metadata?.toString() ?? '']),
      }),
      ...(packed !== undefined && { luggage: packed }),
    }
  }

  return {
    submit(pool, task) {
      try {
        const active = contextApi.active()
        if (active === ROOT_CONTEXT && luggage === undefined) return undefined
        if (trace.getSpanContext(active) === undefined) {
          const more = moreOf(active, undefined)
          return more && ({ span: undefined, wire: ['', '', 0, 0, more] } satisfies Submitted)
        }
        const attributes = { 'threadspan.pool': pool, 'threadspan.task': task }
        const span = tracer.startSpan(`task ${task}`, { kind: SpanKind.INTERNAL, attributes }, active)
        const { traceId, spanId, traceFlags, traceState } = span.spanContext()
        const wire: Wire = [traceId, spanId, traceFlags, monotonic()]
        const more = moreOf(active, traceState)
        if (more !== undefined) wire.push(more)
        return { span, wire } satisfies Submitted
      } catch {
        return undefined
      }
    },

    wire(submission) {
      return (submission as Submitted).wire
    },

    settle(submission) {
      ;(submission as Submitted).span?.end()
    },

    fail(submission, error, origin) {
      const { span } = submission as Submitted
      if (span === undefined) return
      if (origin === 'abort') {
        span.setAttribute('error.type', 'AbortError')
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'The task was aborted' })
      } else {
        // What the handler threw is recorded by its own span, in the worker.
        markFailed(span, error, origin === 'pool')
      }
      span.end()
    },

    run(wire, task, handler, input) {
      const parent = contextOf(wire)
      const packed = (wire as Partial<Wire> | undefined)?.[4]?.luggage
      const inContext = () => {
        if (parent.at === 0)
          return contextApi.with(parent.context, handler as never, undefined, input as never)
        const attributes = { 'threadspan.queue.wait': Math.max(0, monotonic() - parent.at) }
        const span = tracer.startSpan(`run ${task}`, { kind: SpanKind.INTERNAL, attributes }, parent.context)
        const active = trace.setSpan(parent.context, span)
        return contextApi.with(active, callInSpan as never, undefined, span, handler, input) as never
      }
      return packed === undefined || luggage === undefined ? inContext() : luggage.unpack(packed, inContext)
    },
  }
}

const ROOT = { context: ROOT_CONTEXT, at: 0 }

/** The context that a wire stands for. `at` is zero if there is no span to be a child of. */
function contextOf(wire: unknown): { context: Context; at: number } {
  if (!Array.isArray(wire)) return ROOT
  const [traceId, spanId, traceFlags, at, more] = wire as Wire
  let context = ROOT_CONTEXT
  if (spanId !== '') {
    const parent: SpanContext = { traceId, spanId, traceFlags, isRemote: false }
    if (more?.state) parent.traceState = createTraceState(more.state)
    context = trace.setSpanContext(context, parent)
  }
  if (more?.baggage) {
    let baggage = propagation.createBaggage()
    for (const [key, value] of more.baggage) baggage = baggage.setEntry(key, { value })
    context = propagation.setBaggage(context, baggage)
  }
  return { context, at: spanId === '' ? 0 : at }
}

function callInSpan<I, O>(span: Span, handler: (input: I) => O, input: I): O {
  let result: O
  try {
    result = handler(input)
  } catch (error) {
    markFailed(span, error, true)
    span.end()
    throw error
  }
  if (!isThenable(result)) {
    span.end()
    return result
  }
  // The handler's own promise goes back as it is. Any other thenable may do its work anew for each `then()`, as query
  // builders do, and gets only one.
  const promise = isPlainPromise(result) ? result : Promise.resolve(result)
  promise.then(
    () => span.end(),
    (error: unknown) => {
      markFailed(span, error, true)
      span.end()
    },
  )
  return promise as O
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}

function isPlainPromise(value: object): value is Promise<unknown> {
  return value instanceof Promise && value.then === Promise.prototype.then
}

/** Anything can be thrown, also objects whose properties throw when they are read. */
function markFailed(span: Span, error: unknown, record: boolean): void {
  try {
    const known = error instanceof Error
    const message = known ? error.message : String(error)
    span.setAttribute('error.type', known ? error.name : typeof error)
    span.setStatus({ code: SpanStatusCode.ERROR, message })
    if (record) span.recordException(known ? error : message)
  } catch {
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
}
