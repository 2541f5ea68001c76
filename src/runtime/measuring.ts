/** What measures in this thread: loaded with the first meter that is asked for. */
import { dirname } from 'node:path'
import {
  type Context,
  context as contextApi,
  type Meter,
  type MeterOptions,
  type MeterProvider,
  metrics,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api'
import type { TracingConfig } from '../config/tracing.js'
import { spanOf } from '../context/context.js'
import { transactionIn } from '../context/transaction.js'
import { epochMs, now } from '../core/clock.js'
import { ownFile } from '../core/own-files.js'
import { VERSION } from '../core/version.js'
import { loadPart } from '../hooks/parts.js'
import type { ThreadMeasures } from '../metrics/measure.js'
import type { TransactionScope } from '../metrics/measurement.js'
import type * as MetricsPart from '../metrics/part.cjs'
import type { WatchedWorker } from '../metrics/runtime-metrics.js'
import type { TransactionProbes } from '../metrics/transaction-metrics.js'
import { poolFigures } from '../pools/figures.js'
import type { MeasureSpan } from '../recorder/measured-span.js'
import { ABOVE, BY_NAME, MEASURES, SURFACES } from '../ring/layout.js'
import type { ProcessRelay } from './process-relay.js'
import type { ThreadRelay } from './thread-relay.js'

/** Lets all threads of the process measure, and tell each value to surfacers, as its environment says. */
export function measureInProcess(relay: ThreadRelay, { measures, surfaces }: TracingConfig, above = 0): void {
  const { control } = relay
  if (measures || surfaces || above !== 0) Atomics.store(control, MEASURES, 1)
  if (surfaces) Atomics.or(control, SURFACES, BY_NAME)
  if ((above & LISTENED) !== 0) Atomics.or(control, SURFACES, ABOVE)
}

const MEASURED = 1
const LISTENED = 2

/** What a descendant is told: see `MEASURES` of `core/variables.ts`; undefined where nothing is measured. */
export function measuredByDescendants({ control }: ThreadRelay): string | undefined {
  if (Atomics.load(control, MEASURES) === 0) return undefined
  return String(MEASURED | (Atomics.load(control, SURFACES) === 0 ? 0 : LISTENED))
}

/** What an ancestor has told. */
export function measuredAbove(text: string | undefined): number {
  return /^[1-3]$/.test(text ?? '') ? Number(text) : 0
}

function sampledIn(context: Context): SpanContext | undefined {
  const span = spanOf(context)?.spanContext()
  return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0 ? span : undefined
}

/** The transaction of a context. One that is not sampled has no end that would be seen. */
function scopeIn(context: Context): TransactionScope | undefined {
  const flags = spanOf(context)?.spanContext().traceFlags
  return flags !== undefined && (flags & TraceFlags.SAMPLED) === 0 ? undefined : transactionIn(context)
}

function loadMetrics(): typeof MetricsPart {
  const file = ownFile('metrics.cjs')
  return loadPart<typeof MetricsPart>(dirname(file), 'metrics.cjs')
}

/** A MeterProvider for this thread, which costs nothing until it is used, and measures where the process does. */
export class LateMeterProvider implements MeterProvider {
  private measures: ThreadMeasures | undefined
  private runtime: ReturnType<typeof MetricsPart.measureRuntime> | undefined
  /** What there is without this one. */
  private readonly none = metrics.getMeterProvider()

  constructor(
    private readonly relay: ThreadRelay,
    private readonly process: ProcessRelay | undefined,
    private readonly config: Pick<TracingConfig, 'exemplars' | 'exponential' | 'transactionMetrics'>,
  ) {}

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    if (Atomics.load(this.relay.control, MEASURES) === 0) return this.none.getMeter(name, version, options)
    this.measures ??= this.load()
    return this.measures.provider.getMeter(name, version, options)
  }

  /** Measures how long requests and calls take, from the first one on that ends. */
  durations(): MeasureSpan {
    let measure: MeasureSpan | undefined
    const { control } = this.relay
    return (span, duration) => {
      if (control[MEASURES] === 0) return
      this.measures ??= this.load()
      measure ??= loadMetrics().measureDurations(
        this.measures.provider,
        VERSION,
        () => control[SURFACES] !== 0,
      )
      measure(span, duration)
    }
  }

  /** Measures what transactions take, as the configuration chooses; undefined where it chooses nothing. */
  probes(): TransactionProbes | undefined {
    const { transactionMetrics: wanted } = this.config
    if (wanted.length === 0) return undefined
    this.measures ??= this.load()
    const { control } = this.relay
    return loadMetrics().probeTransactions(
      this.measures.provider,
      VERSION,
      wanted,
      () => control[SURFACES] !== 0,
    )
  }

  /** Tells of Node and V8 from now on. In the main thread of a process that exports. */
  measureRuntime(): void {
    this.measures ??= this.load()
    this.runtime = loadMetrics().measureRuntime(this.measures.provider, VERSION, poolFigures)
  }

  /** A Worker has been made, whose event loop is told of. */
  addWorker(worker: WatchedWorker, name: string): void {
    this.runtime?.add(worker, name)
  }

  removeWorker(worker: WatchedWorker): void {
    this.runtime?.remove(worker)
  }

  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void {
    this.measures?.observe()
  }

  private load(): ThreadMeasures {
    const measures = loadMetrics().measureHere({
      opened: (block, index) => this.relay.cells(block, index),
      time: () => epochMs(now()),
      isExponential: this.config.exponential,
      control: this.relay.control,
      ring: () => this.relay.ring(),
      scopeOf: (context) => scopeIn(context ?? contextApi.active()),
      exemplarOf: this.config.exemplars ? (context) => sampledIn(context ?? contextApi.active()) : undefined,
    })
    const touched = this.process?.touched
    if (touched !== undefined) measures.onTouch(touched)
    return measures
  }
}
