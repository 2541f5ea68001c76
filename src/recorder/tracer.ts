import {
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { contextWithSpan, spanOf } from '../context/context.js'
import { activeContext, callIn } from '../context/current.js'
import { lookAtWall, now, originOf, timeOf } from '../core/clock.js'
import { count } from '../core/counters.js'
import { hexOfWord, randomWord, TraceIdentity, wordOfHex } from '../core/ids.js'
import { textOf } from '../core/text.js'
import type { AttributeList } from './attributes.js'
import { kindOf, optionsOf, parentContextOf } from './input.js'
import { isMeasuredKind } from './measured.js'
import type { Recorder } from './recorder.js'
import { type ParentState, toldState } from './sampler.js'
import type { ScopeHandle } from './scope.js'
import { RecordedSpan } from './span.js'

/** W3C trace flags. */
const SAMPLED = 1
const RANDOM = 2

/** The key by which OpenTelemetry's exporters and instrumentations say: no spans in here. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

const NO_OPTIONS: SpanOptions = {}

type SpanFunction<T> = (span: Span) => T

/** OpenTelemetry's `Tracer`, for one instrumentation scope in one thread. */
export class RecorderTracer implements Tracer {
  constructor(
    private readonly recorder: Recorder,
    private readonly scope: ScopeHandle,
  ) {}

  /** Specification "Span Creation". Never throws: what is not as it should be counts as not given. */
  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    try {
      return this.start(name, options ?? NO_OPTIONS, context ?? activeContext())
    } catch {
      // A getter of the options, or what is no context.
      count('span.input')
    }
    try {
      return this.start(name, optionsOf(options), isContext(context) ? context : activeContext())
    } catch {
      return silent(undefined)
    }
  }

  private start(name: string, options: SpanOptions, context: Context): Span {
    const parent = options.root === true ? undefined : spanOf(context)
    if (context.getValue(SUPPRESS_TRACING) === true) return silent(parent)
    // A recorded parent of this thread is the common case: its ids are words already, its decision is made.
    if (parent instanceof RecordedSpan) {
      if (!this.recorder.sampler.shouldSample(parent.trace, 'local-sampled'))
        return this.unsampled(options, parent.trace, parent.traceFlags, parent.traceState, parent)
      return this.begin(name, options, parent.trace, parent.s0, parent.s1, parent.traceFlags, parent, false)
    }
    const outer = parent === undefined ? undefined : parentContextOf(parent)
    if (outer === undefined) {
      const identity = TraceIdentity.random()
      if (!this.recorder.sampler.shouldSample(identity, 'none'))
        return this.unsampled(options, identity, RANDOM, undefined, undefined)
      const told = toldState(this.recorder.sampler, undefined, true)
      return this.begin(name, options, identity, 0, 0, SAMPLED | RANDOM, undefined, false, told)
    }
    const identity = identityOf(outer.traceId)
    const remote = outer.isRemote === true
    const state: ParentState =
      (outer.traceFlags & SAMPLED) !== 0
        ? remote
          ? 'remote-sampled'
          : 'local-sampled'
        : remote
          ? 'remote-not-sampled'
          : 'local-not-sampled'
    if (!this.recorder.sampler.shouldSample(identity, state))
      return this.unsampled(options, identity, outer.traceFlags, outer.traceState, parent)
    return this.begin(
      name,
      options,
      identity,
      wordOfHex(outer.spanId, 0),
      wordOfHex(outer.spanId, 8),
      (outer.traceFlags & RANDOM) | SAMPLED,
      undefined,
      remote,
      toldState(this.recorder.sampler, outer.traceState, false),
    )
  }

  /**
   * A span of kind INTERNAL below one of this thread's own: what `startSpan` does, for those who have the parent in hand.
   * @param attributes Valid ones, within the limits; the list becomes the span's.
   * @returns undefined if it is not sampled, or nothing can be recorded.
   */
  startBelow(parent: RecordedSpan, name: string, attributes: AttributeList): RecordedSpan | undefined {
    const { recorder } = this
    if (!recorder.sampler.shouldSample(parent.trace, 'local-sampled') || !recorder.ready()) return undefined
    const span = new RecordedSpan(
      recorder,
      this.scope,
      parent.trace,
      randomWord(),
      randomWord() || 1,
      parent.s0,
      parent.s1,
      parent.traceFlags,
      parent.traceState,
      false,
      name,
      1,
      now(),
      parent,
    )
    span.attributes = attributes
    recorder.started(span)
    return span
  }

  /**
   * A span of kind INTERNAL below one of another thread, whose ids came as words.
   * @param start Milliseconds of this thread's clock.
   * @param attributes Valid ones, within the limits; the list becomes the span's.
   * @returns undefined if nothing can be recorded.
   */
  startCarried(
    identity: TraceIdentity,
    p0: number,
    p1: number,
    flags: number,
    name: string,
    start: number,
    attributes: AttributeList,
  ): RecordedSpan | undefined {
    const { recorder } = this
    if (!recorder.ready()) return undefined
    lookAtWall(start)
    const span = new RecordedSpan(
      recorder,
      this.scope,
      identity,
      randomWord(),
      randomWord() || 1,
      p0,
      p1,
      flags,
      undefined,
      false,
      name,
      1,
      start,
      undefined,
    )
    span.attributes = attributes
    recorder.started(span)
    return span
  }

  private begin(
    name: string,
    options: SpanOptions,
    identity: TraceIdentity,
    p0: number,
    p1: number,
    flags: number,
    parent: RecordedSpan | undefined,
    remote: boolean,
    traceState = parent?.traceState,
  ): Span {
    const { recorder } = this
    if (!recorder.ready()) return this.unsampled(options, identity, flags, traceState, parent)
    const { kind, attributes, links, startTime } = options
    const present = now()
    if (parent === undefined) lookAtWall(present)
    const span = new RecordedSpan(
      recorder,
      this.scope,
      identity,
      randomWord(),
      randomWord() || 1,
      p0,
      p1,
      flags,
      traceState,
      remote,
      textOf(name),
      kindOf(kind),
      startTime === undefined ? present : timeOf(startTime, originOf(parent?.origin)),
      parent,
    )
    if (attributes !== undefined) span.setAttributes(attributes)
    if (links !== undefined) span.addLinks(links)
    recorder.started(span)
    return span
  }

  /** A span that is not recorded, but whose context travels on, so that the decision holds downstream; its duration may be measured. */
  private unsampled(
    { kind, attributes }: SpanOptions,
    identity: TraceIdentity,
    flags: number,
    traceState: RecordedSpan['traceState'],
    parent: Span | undefined,
  ): Span {
    if (this.recorder.sampler.isSilent === true) return silent(parent)
    const context: SpanContext = {
      traceId: identity.hex,
      spanId: hexOfWord(randomWord()) + hexOfWord(randomWord() || 1),
      traceFlags: flags & ~SAMPLED,
      ...(traceState === undefined ? {} : { traceState }),
    }
    const { measures } = this.recorder
    const own = measures === undefined ? 0 : kindOf(kind)
    return measures !== undefined && isMeasuredKind(own)
      ? measures.unsampled(context, own, attributes)
      : trace.wrapSpanContext(context)
  }

  startActiveSpan<F extends SpanFunction<unknown>>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction<unknown>>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends SpanFunction<unknown>>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>
  startActiveSpan(name: string, second: unknown, third?: unknown, fourth?: unknown): unknown {
    const last = typeof fourth === 'function' ? fourth : typeof third === 'function' ? third : second
    if (typeof last !== 'function') {
      count('span.input')
      return undefined
    }
    const fn = last as SpanFunction<unknown>
    const options = (fn === second ? undefined : second) as SpanOptions | undefined
    const given = fn === fourth ? third : undefined
    const parent = isContext(given) ? given : activeContext()
    const span = this.startSpan(name, options, parent)
    return callIn(contextWithSpan(parent, span), fn, span)
  }
}

function isContext(value: unknown): value is Context {
  // Most calls give none, and an error that is thrown and caught costs as much as eight spans.
  if (typeof value !== 'object' || value === null) return false
  try {
    const { getValue, setValue } = value as Context
    return typeof getValue === 'function' && typeof setValue === 'function'
  } catch {
    return false
  }
}

/** The last foreign trace id as words: the spans of one task or request ask for the same one again and again. */
let lastHex = ''
let lastIdentity: TraceIdentity | undefined

function identityOf(hex: string): TraceIdentity {
  if (lastIdentity === undefined || hex !== lastHex) {
    lastHex = hex
    lastIdentity = TraceIdentity.fromHex(hex)
  }
  return lastIdentity
}

/** Where tracing is suppressed, the parent's context goes on and nothing is made. */
function silent(parent: Span | undefined): Span {
  const outer = parent === undefined ? undefined : parentContextOf(parent)
  return trace.wrapSpanContext(outer ?? { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 })
}
