/** A thread's OpenTelemetry MeterProvider: its instruments write into shared memory, and nothing in this thread collects or exports. */
import {
  type Attributes,
  type BatchObservableCallback,
  type Counter,
  createNoopMeter,
  type Gauge,
  type Histogram,
  type Meter,
  type MeterOptions,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  type UpDownCounter,
  ValueType,
} from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { warnOnce } from '../core/log.js'
import { read } from '../recorder/input.js'
import type { InstrumentDescriptor, InstrumentKind } from './descriptor.js'
import { MAX_BOUNDS } from './descriptor.js'
import {
  CounterInstrument,
  ExponentialHistogramInstrument,
  GaugeInstrument,
  HistogramInstrument,
  type Instrument,
  type Measuring,
  UpDownCounterInstrument,
} from './instruments.js'
import { ObservableInstrument, type Observers } from './observables.js'

/** Metrics API specification, "Instrument name syntax". */
const NAME = /^[a-z][-_./a-z0-9]{0,254}$/i
/** Code units of what is only text. */
const MOST_TEXT = 1024
/** Instruments of one thread, and meters: names must not be made of data. */
const MOST_INSTRUMENTS = 2000
const MOST_METERS = 1000

/** SDK specification, "Explicit bucket histogram aggregation". */
const BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MOST_TEXT) : '')

/** What one thread has of instruments. */
export interface ThreadMeters {
  readonly measuring: Measuring
  readonly observers: Observers
  readonly isExponential: boolean
  /** By what identifies them (specification, "Duplicate instrument registration"). */
  readonly instruments: Map<string, Instrument>
}

export class ThreadMeterProvider implements MeterProvider {
  private readonly meters = new Map<string, Meter>()
  private readonly thread: ThreadMeters

  /** @param isExponential Whether histograms have buckets of exponential size. */
  constructor(measuring: Measuring, observers: Observers, isExponential = false) {
    this.thread = { measuring, observers, isExponential, instruments: new Map() }
  }

  /** Specification "Get a Meter": the same name, version and schema URL give the same meter. */
  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    const scope = {
      name: textOf(name),
      version: textOf(version),
      schemaUrl: textOf(read(options, 'schemaUrl')),
    }
    const key = `${scope.name}\n${scope.version}\n${scope.schemaUrl}`
    let meter = this.meters.get(key)
    if (meter === undefined) {
      if (this.meters.size >= MOST_METERS) return this.meters.values().next().value as Meter
      meter = new ThreadMeter(scope, this.thread)
      this.meters.set(key, meter)
    }
    return meter
  }
}

const nothing = createNoopMeter()

class ThreadMeter implements Meter {
  constructor(
    private readonly scope: InstrumentDescriptor['scope'],
    private readonly thread: ThreadMeters,
  ) {}

  createCounter<A extends Attributes>(name: string, options?: MetricOptions): Counter<A> {
    return this.instrument('counter', name, options, CounterInstrument) ?? nothing.createCounter(name)
  }

  createUpDownCounter<A extends Attributes>(name: string, options?: MetricOptions): UpDownCounter<A> {
    return (
      this.instrument('updowncounter', name, options, UpDownCounterInstrument) ??
      nothing.createUpDownCounter(name)
    )
  }

  createGauge<A extends Attributes>(name: string, options?: MetricOptions): Gauge<A> {
    return this.instrument('gauge', name, options, GaugeInstrument) ?? nothing.createGauge(name)
  }

  createHistogram<A extends Attributes>(name: string, options?: MetricOptions): Histogram<A> {
    const Type = this.thread.isExponential ? ExponentialHistogramInstrument : HistogramInstrument
    return (
      this.instrument<HistogramInstrument | ExponentialHistogramInstrument>(
        'histogram',
        name,
        options,
        Type,
      ) ?? nothing.createHistogram(name)
    )
  }

  createObservableCounter<A extends Attributes>(name: string, options?: MetricOptions): Observable<A> {
    return this.observable('observablecounter', name, options) ?? nothing.createObservableCounter(name)
  }

  createObservableUpDownCounter<A extends Attributes>(name: string, options?: MetricOptions): Observable<A> {
    return (
      this.observable('observableupdowncounter', name, options) ?? nothing.createObservableUpDownCounter(name)
    )
  }

  createObservableGauge<A extends Attributes>(name: string, options?: MetricOptions): Observable<A> {
    return this.observable('observablegauge', name, options) ?? nothing.createObservableGauge(name)
  }

  addBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.thread.observers.addBatch(callback as BatchObservableCallback, observablesOf(observables))
  }

  removeBatchObservableCallback<A extends Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.thread.observers.removeBatch(callback as BatchObservableCallback, observablesOf(observables))
  }

  private observable(
    kind: InstrumentKind,
    name: string,
    options: MetricOptions | undefined,
  ): ObservableInstrument | undefined {
    const instrument = this.instrument(kind, name, options, ObservableInstrument)
    if (instrument !== undefined) instrument.observers = this.thread.observers
    return instrument
  }

  /** The instrument of that description, made at the first call; undefined, and told of, where there can be none. */
  private instrument<I extends Instrument>(
    kind: InstrumentKind,
    name: string,
    options: MetricOptions | undefined,
    Type: new (descriptor: InstrumentDescriptor, measuring: Measuring) => I,
  ): I | undefined {
    if (typeof name !== 'string' || !NAME.test(name)) {
      count('metric.name')
      warnOnce(
        'THREADSPAN_METRIC_NAME',
        'An instrument measures nothing: its name must begin with a letter and consist of at most 255 letters, digits and _ . - /',
      )
      return undefined
    }
    const descriptor = describe(kind, name, options, this.scope, this.thread.isExponential)
    const key = JSON.stringify({ ...descriptor, name: name.toLowerCase(), bounds: [] })
    const { instruments, measuring } = this.thread
    let instrument = instruments.get(key) as I | undefined
    if (instrument === undefined) {
      if (instruments.size >= MOST_INSTRUMENTS) {
        count('metric.instrument')
        return undefined
      }
      instrument = new Type(descriptor, measuring)
      instruments.set(key, instrument)
    }
    return instrument
  }
}

function describe(
  kind: InstrumentKind,
  name: string,
  options: MetricOptions | undefined,
  scope: InstrumentDescriptor['scope'],
  isExponential: boolean,
): InstrumentDescriptor {
  return {
    kind,
    name,
    unit: textOf(read(options, 'unit')),
    description: textOf(read(options, 'description')),
    isInt: read(options, 'valueType') === ValueType.INT,
    bounds:
      kind === 'histogram' && !isExponential
        ? boundsOf(read(read(options, 'advice'), 'explicitBucketBoundaries'))
        : [],
    isExponential: kind === 'histogram' && isExponential,
    scope,
  }
}

/** Observables of one callback. */
const MOST_OBSERVABLES = 10_000

/** A copy of a list that an application hands over: it may be none, throw, or say that it has billions of elements. */
function listOf(given: unknown, most: number): unknown[] | undefined {
  try {
    if (Array.isArray(given)) return given.slice(0, most)
  } catch {
    count('metric.value')
  }
  return undefined
}

function observablesOf(given: unknown): Observable[] {
  return (listOf(given, MOST_OBSERVABLES) ?? []) as Observable[]
}

/** Bounds that were advised, in order and each once; the specification's where there are none that can be used. */
function boundsOf(advised: unknown): readonly number[] {
  const list = listOf(advised, MAX_BOUNDS)
  if (list === undefined) return BOUNDS
  return [...new Set(list as number[])].filter(Number.isFinite).sort((a, b) => a - b)
}
