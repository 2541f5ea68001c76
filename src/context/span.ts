import {
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { contextWithSpan } from './context.js'
import { activeContext, callIn } from './current.js'
import { deadlines } from './deadline.js'
import { recordError } from './exception.js'
import { ensureContextManager } from './manager.js'
import { followResult } from './settled.js'

/** What a span may be started with; the fields of OpenTelemetry's `SpanOptions`. */
export interface NamedSpanOptions extends SpanOptions {
  /** Of low cardinality: what kind of work it is, not on what. */
  readonly name: string
}

let provider: TracerProvider | undefined
let tracer: Tracer

/** The tracer of the spans made by helpers. Kept as long as the provider behind the API stays the same, for it costs a lookup by name. */
function currentTracer(): Tracer {
  let current: TracerProvider & { getDelegate?(): TracerProvider } = trace.getTracerProvider()
  if (current.getDelegate !== undefined) current = current.getDelegate()
  if (current !== provider) {
    tracer = current.getTracer('threadspan')
    provider = current
  }
  return tracer
}

/** Starts a span as a child of what is active in `context`, by whichever TracerProvider the application has. It is not made active. */
export function startSpan(options: string | NamedSpanOptions, context: Context): Span {
  return typeof options === 'string'
    ? currentTracer().startSpan(options, undefined, context)
    : currentTracer().startSpan(options.name, options, context)
}

/**
 * Runs `fn` inside a new span, the child of the active one, and ends the span when the result settles: at once, or when the promise or thenable
 * that `fn` returned is fulfilled or rejected. An error is recorded as `exception` event and status ERROR, and thrown on.
 *
 * The result is what `fn` returned: a promise of a subclass, or another thenable, is the very object with all its methods; of a plain promise
 * it is one with the same outcome. A generator does its work after it was returned, and is not covered: its span ends at once.
 *
 * @param options the span's name, or its name and OpenTelemetry's `SpanOptions`.
 */
export function withSpan<T>(options: string | NamedSpanOptions, fn: (span: Span) => T): T {
  const parent = activeContext()
  const span = startSpan(options, parent)
  return runInSpan(contextWithSpan(parent, span), span, fn, span)
}

/**
 * Runs `fn(argument)` in `context` and ends `span` when the result settles, as {@link withSpan} does.
 *
 * @param context one in which `span` is active.
 */
export function runInSpan<A, T>(context: Context, span: Span, fn: (argument: A) => T, argument: A): T {
  ensureContextManager()
  try {
    const result = callIn(context, fn, argument)
    return followResult(result, (failure) => {
      if (failure !== undefined) recordError(span, failure.error)
      else deadlines.part?.mark(span, context)
      span.end()
    })
  } catch (error) {
    recordError(span, error)
    span.end()
    throw error
  }
}
