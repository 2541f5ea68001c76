/** The instruments of OpenTelemetry's Metrics API, over cells in shared memory. None of them throws, whatever it is given. */
import type {
  Attributes,
  Context,
  Counter,
  Gauge,
  Histogram,
  SpanContext,
  UpDownCounter,
} from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { OBSERVE, SURFACES } from '../ring/layout.js'
import type { Cells, CellWriter } from './cells.js'
import {
  BUCKETS,
  bodyOf,
  cellsOf,
  EXEMPLAR_IDS,
  EXEMPLAR_TIME,
  EXEMPLAR_VALUE,
  hasExemplar,
  type InstrumentDescriptor,
  MAX,
  MIN,
  SET_AT,
  SUM,
  VALUE,
} from './descriptor.js'
import { SeriesTable } from './series-table.js'

/** The cells of a series, and what it is. */
export interface Series extends Cells {
  /** `KeyValue` fields with tag 0a. */
  readonly attributes: Uint8Array
  /** The round of exports for which it has an exemplar, and how often it was tried to get one since. */
  round: number
  tries: number
}

/** Values for which a span is looked for until the next export, where there was none. */
const MOST_TRIES = 16

/** What the instruments of a thread have in common. */
export interface Measuring {
  readonly writer: CellWriter
  /** Now, in milliseconds since the epoch. */
  readonly time: () => number
  /** Called after a value was written; only where it would not survive this process otherwise. */
  touched: (() => void) | undefined
  /** Called with each value where somebody listens. */
  readonly measured: Measured
  /** Words that all threads of the process share. */
  readonly control: Int32Array
  /** The span that a value is an example for; undefined where no exemplars are wanted. */
  readonly exemplarOf: ExemplarOf | undefined
}

/** @returns The context of the sampled span that is active; undefined where there is none. */
export type ExemplarOf = (context: Context | undefined) => SpanContext | undefined

export type Measured = (
  instrument: InstrumentDescriptor,
  value: number,
  /** `KeyValue` fields with tag 0a. */
  attributes: Uint8Array,
  context: Context | undefined,
) => void

/** Whether something is a number that can be added up; what is not is counted. */
function isFiniteNumber(value: unknown): value is number {
  if (typeof value === 'number' && value - value === 0) return true
  count('metric.value')
  return false
}

const EMPTY: readonly number[] = []

/** An instrument with the series that its thread has of it. */
export abstract class Instrument {
  protected readonly table: SeriesTable<Series>
  protected readonly isInt: boolean
  /** Where in a series its exemplar lies; 0 where it has none. */
  private readonly exemplarAt: number

  constructor(
    readonly descriptor: InstrumentDescriptor,
    protected readonly measuring: Measuring,
    initial: readonly number[] = EMPTY,
  ) {
    const size = cellsOf(descriptor)
    const first = [...initial, ...new Array<number>(size - initial.length).fill(0)]
    let number: number | undefined
    this.isInt = descriptor.isInt
    const isExemplified = measuring.exemplarOf !== undefined && hasExemplar(descriptor.kind)
    this.exemplarAt = isExemplified ? bodyOf(descriptor) : 0
    this.table = new SeriesTable<Series>(
      (attributes) => {
        number ??= measuring.writer.instrument(descriptor)
        const cells = number === undefined ? undefined : measuring.writer.series(number, attributes, first)
        return cells && { ...cells, attributes, round: -1, tries: 0 }
      },
      { cells: new Float64Array(size), at: 0, attributes: new Uint8Array(0), round: -1, tries: 0 },
    )
  }

  /** The first value of a sampled span since the last export is its example (SDK specification, "Exemplar filter": `trace_based`). */
  private exemplify(value: number, series: Series, context: Context | undefined): void {
    const { control, exemplarOf, time } = this.measuring
    const span = exemplarOf?.(context)
    if (span === undefined && ++series.tries < MOST_TRIES) return
    series.round = control[OBSERVE]!
    series.tries = 0
    if (span === undefined) return
    const { cells } = series
    const at = series.at + this.exemplarAt
    const ids = span.traceId + span.spanId
    cells[at + EXEMPLAR_TIME] = 0
    cells[at + EXEMPLAR_VALUE] = value
    for (let i = 0; i < 6; i++)
      cells[at + EXEMPLAR_IDS + i] = Number.parseInt(ids.slice(8 * i, 8 * i + 8), 16)
    cells[at + EXEMPLAR_TIME] = time()
  }

  /** For those who listen to each value, and for the way out of the process. */
  protected tell(value: number, series: Series, context: Context | undefined): void {
    const { touched, measured, control } = this.measuring
    if (this.exemplarAt !== 0 && series.round !== control[OBSERVE]) this.exemplify(value, series, context)
    if (control[SURFACES] !== 0) measured(this.descriptor, value, series.attributes, context)
    if (touched !== undefined) touched()
  }
}

/** Adds what is not negative. */
export class CounterInstrument extends Instrument implements Counter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      count('metric.value')
      return
    }
    const whole = this.isInt ? Math.trunc(value) : value
    const series = this.table.find(attributes)
    const { cells, at } = series
    cells[at + SUM] = cells[at + SUM]! + whole
    this.tell(whole, series, context)
  }
}

export class UpDownCounterInstrument extends Instrument implements UpDownCounter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (!isFiniteNumber(value)) return
    const whole = this.isInt ? Math.trunc(value) : value
    const series = this.table.find(attributes)
    const { cells, at } = series
    cells[at + SUM] = cells[at + SUM]! + whole
    this.tell(whole, series, context)
  }
}

/** Keeps the last value; of several threads, that which was set last. */
export class GaugeInstrument extends Instrument implements Gauge {
  record(value: number, attributes?: Attributes, context?: Context): void {
    if (!isFiniteNumber(value)) return
    const whole = this.isInt ? Math.trunc(value) : value
    const series = this.table.find(attributes)
    const { cells, at } = series
    cells[at + VALUE] = whole
    cells[at + SET_AT] = this.measuring.time()
    this.tell(whole, series, context)
  }
}

export class HistogramInstrument extends Instrument implements Histogram {
  private readonly bounds: readonly number[]

  constructor(descriptor: InstrumentDescriptor, measuring: Measuring) {
    super(descriptor, measuring, [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    this.bounds = descriptor.bounds
  }

  /** Negative values are ignored, as the specification has it: the sum would not be one that only grows. */
  record(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      count('metric.value')
      return
    }
    const whole = this.isInt ? Math.trunc(value) : value
    const series = this.table.find(attributes)
    const { cells, at } = series
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && whole > bounds[bucket]!) bucket++
    const cell = at + BUCKETS + bucket
    cells[at + SUM] = cells[at + SUM]! + whole
    if (whole < cells[at + MIN]!) cells[at + MIN] = whole
    if (whole > cells[at + MAX]!) cells[at + MAX] = whole
    // Last: with this it counts.
    cells[cell] = cells[cell]! + 1
    this.tell(whole, series, context)
  }
}
