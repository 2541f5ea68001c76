/** All that a thread measures with, put together. It is loaded with the first thing that is to be measured. */
import {
  type Attributes,
  type Context,
  type MeterProvider,
  type Span,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api'
import { type MeasuringConfig, readMeasuringConfig } from '../config/measuring.js'
import type { Environment } from '../config/variables.js'
import { idsIn } from '../recorder/input.js'
import type { MeasurableSpan, RootProbes, SpanMeasures } from '../recorder/measured.js'
import { SURFACES } from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'
import { measureHere, type ThreadMeasures } from './measure.js'
import { MeasuredSpan } from './measured-span.js'
import type { TransactionScope } from './measurement.js'
import { measureRuntime, type WatchedWorker } from './runtime-metrics.js'
import { type MeasureSpan, measureDurations } from './span-durations.js'
import { probeTransactions } from './transaction-metrics.js'

/** What the thread has, and this part does not know how to make. */
export interface ThreadMeasuringOptions {
  /** Words that all threads of the process share. */
  readonly control: Int32Array
  /** A block of cells is in use from now on. */
  readonly opened: (block: SharedArrayBuffer, index: number) => void
  /** This thread's ring. */
  readonly ring: () => Ring | undefined
  /** Called after each value; only where it would not survive this process otherwise. */
  readonly touched: (() => void) | undefined
  readonly env: Environment
  readonly version: string
  /** Now, in milliseconds since the epoch. */
  readonly time: () => number
  readonly active: () => Context
  readonly spanOf: (context: Context) => Span | undefined
  readonly transactionIn: (context: Context) => TransactionScope | undefined
}

export class ThreadMeasuring implements SpanMeasures {
  private readonly config: MeasuringConfig
  private readonly measures: ThreadMeasures
  private durations: MeasureSpan | undefined
  private runtime: ReturnType<typeof measureRuntime> | undefined

  constructor(private readonly options: ThreadMeasuringOptions) {
    const { active, env } = options
    const config = readMeasuringConfig(env)
    this.config = config
    this.measures = measureHere({
      ...options,
      isExponential: config.exponential,
      scopeOf: (context) => this.scopeIn(context ?? active()),
      exemplarOf: config.exemplars ? (context) => this.sampledIn(context ?? active()) : undefined,
    })
  }

  get provider(): MeterProvider {
    return this.measures.provider
  }

  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void {
    this.measures.observe()
  }

  private sampledIn(context: Context): SpanContext | undefined {
    const span = idsIn(context, this.options.spanOf)
    return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0 ? span : undefined
  }

  /** The transaction of a context. One that is not sampled has no end that would be seen. */
  private scopeIn(context: Context): TransactionScope | undefined {
    const flags = idsIn(context, this.options.spanOf)?.traceFlags
    const isLost = flags !== undefined && (flags & TraceFlags.SAMPLED) === 0
    return isLost ? undefined : this.options.transactionIn(context)
  }

  private readonly isListened = (): boolean => this.options.control[SURFACES] !== 0

  ended(span: MeasurableSpan, duration: number): void {
    this.durations ??= measureDurations(this.provider, this.options.version, this.isListened)
    this.durations(span, duration)
  }

  unsampled(context: SpanContext, kind: number, attributes: Attributes | undefined): Span {
    const span = new MeasuredSpan(context, kind, (own, duration) => this.ended(own, duration))
    return attributes === undefined ? span : span.setAttributes(attributes)
  }

  /** Measures what transactions take, as the configuration chooses; undefined where it chooses nothing. */
  probes(): RootProbes | undefined {
    const { transactionMetrics: wanted } = this.config
    return wanted.length === 0
      ? undefined
      : probeTransactions(this.provider, this.options.version, wanted, this.isListened)
  }

  /** Tells of Node and V8 from now on. In the main thread of a process that exports. */
  tellRuntime(): void {
    this.runtime ??= measureRuntime(this.provider, this.options.version)
  }

  /** A Worker has been made, whose event loop is told of. */
  addWorker(worker: WatchedWorker, name: string): void {
    this.runtime?.add(worker, name)
  }

  removeWorker(worker: WatchedWorker): void {
    this.runtime?.remove(worker)
  }
}
