/**
 * A thread's recorder: OpenTelemetry's TracerProvider, light enough for every thread. It samples, makes spans, and has
 * them encoded into the thread's shared memory. It runs no timer, keeps no list of spans and exports nothing.
 */
import type { TracerOptions, TracerProvider } from '@opentelemetry/api'
import type { SpanLimits } from '../config/tracing.js'
import type { Origin } from '../core/clock.js'
import { textOf } from '../core/text.js'
import { encodeScope } from '../otlp/encode.js'
import { read } from './input.js'
import { isMeasured, type RootProbes, type SpanMeasures } from './measured.js'
import { closeRecord, openRecord } from './record.js'
import type { Sampler } from './sampler.js'
import type { ScopeHandle } from './scope.js'
import type { RecordSink } from './sink.js'
import type { RecordedSpan, SpanEnd } from './span.js'
import { RecorderTracer } from './tracer.js'

export interface RecorderOptions {
  readonly sampler: Sampler
  readonly limits: SpanLimits
  /** Encoded `Span.attributes` fields that every span of this thread carries; see `threadAttributes`. */
  readonly thread: Buffer
  /** Makes the thread's memory, at the first span; undefined when there can be none, and nothing is recorded then. */
  readonly open: () => RecordSink | undefined
}

/** Scopes with names of their own beyond this many share one handle; a name made from data must not grow without end. */
const MAX_SCOPES = 1000

export class Recorder implements TracerProvider, SpanEnd {
  sampler: Sampler
  readonly limits: SpanLimits
  private readonly thread: Buffer
  private readonly open: () => RecordSink | undefined
  /** Called with each request and call that has ended, sampled or not; only where durations are measured. */
  measures: SpanMeasures | undefined
  /** Called with each local root that begins here, and ends here; only where something of it is measured. */
  probes: RootProbes | undefined
  /** Called with each local root that ends; only where names are grouped. */
  rename: ((span: RecordedSpan) => void) | undefined
  private sink: RecordSink | undefined
  private opened = false
  private readonly tracers = new Map<string, RecorderTracer>()

  constructor(options: RecorderOptions) {
    this.sampler = options.sampler
    this.limits = options.limits
    this.thread = options.thread
    this.open = options.open
  }

  /** Specification "Get a Tracer": the same name, version and schema URL give the same tracer. */
  getTracer(name: string, version?: string, options?: TracerOptions): RecorderTracer {
    const scopeName = textOf(name ?? '')
    const scopeVersion = textOf(version ?? '')
    const schemaUrl = textOf(read(options, 'schemaUrl') ?? '')
    const key = `${scopeName}\n${scopeVersion}\n${schemaUrl}`
    let tracer = this.tracers.get(key)
    if (tracer === undefined) {
      if (this.tracers.size >= MAX_SCOPES) return this.tracers.values().next().value as RecorderTracer
      const scope: ScopeHandle = {
        name: scopeName,
        encoded: encodeScope(scopeName, scopeVersion),
        schemaUrl,
        id: -1,
      }
      tracer = new RecorderTracer(this, scope)
      this.tracers.set(key, tracer)
    }
    return tracer
  }

  /** Whether spans can be recorded; makes the thread's memory at the first call. */
  ready(): boolean {
    if (!this.opened) {
      this.opened = true
      this.sink = this.open()
    }
    return this.sink !== undefined
  }

  /** Encodes a span's start. `ready()` has been asked before. */
  started(span: RecordedSpan): void {
    const sink = this.sink!
    const { scope } = span
    if (scope.id < 0) scope.id = sink.defineScope(scope.encoded, scope.schemaUrl)
    openRecord(sink, span, this.thread)
    if (this.probes !== undefined && span.localRoot === span) this.probes.started(span)
  }

  /** Encodes a span that ended at `time`. All that it holds was checked when it came in; should it fail nevertheless, one span is lost, and counted. */
  ended(span: RecordedSpan, time: number, origin: Origin): void {
    const sink = this.sink!
    if (this.rename !== undefined && span.localRoot === span) this.rename(span)
    if (this.probes !== undefined && span.localRoot === span) this.probes.ended(span)
    if (this.measures !== undefined && isMeasured(span)) this.measures.ended(span, time - span.start)
    try {
      closeRecord(sink, span, time, origin, this.thread)
    } catch {
      sink.drop('unencodable')
      sink.freeSlot(span.slot)
    }
  }
}
