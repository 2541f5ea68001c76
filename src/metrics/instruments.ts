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
import { FIRST, firstRoom, indexOf, MOST_BUCKETS, OFFSET, room, SCALE, used, ZEROS } from './exponential.js'
import { SeriesTable } from './series-table.js'

/** The cells of a series, and what it is. */
export interface Series extends Cells {
  cells: Float64Array
  at: number
  /** `KeyValue` fields with tag 0a. */
  readonly attributes: Uint8Array
  /** The round of exports in which nobody need be told of its values any more. */
  round: number
  /** The round for which it has an exemplar, and how often it was tried to get one since. */
  example: number
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
  readonly touched: (() => void) | undefined
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
  private readonly initial: readonly number[]
  /** In this thread's memory. */
  private number: number | undefined

  constructor(
    readonly descriptor: InstrumentDescriptor,
    protected readonly measuring: Measuring,
    initial: readonly number[] = EMPTY,
  ) {
    const size = cellsOf(descriptor)
    this.initial = [...initial, ...new Array<number>(size - initial.length).fill(0)]
    this.isInt = descriptor.isInt
    const isExemplified = measuring.exemplarOf !== undefined && hasExemplar(descriptor.kind)
    this.exemplarAt = isExemplified ? bodyOf(descriptor) : 0
    this.table = new SeriesTable<Series>(
      (attributes) => {
        const cells = this.cellsFor(attributes, this.first())
        return cells && { ...cells, attributes, round: -1, example: -1, tries: 0 }
      },
      {
        cells: new Float64Array(size),
        at: 0,
        attributes: new Uint8Array(0),
        round: -1,
        example: -1,
        tries: 0,
      },
    )
  }

  /** New cells; undefined where there is no room. */
  protected cellsFor(attributes: Uint8Array, first: readonly number[]): Cells | undefined {
    const { writer } = this.measuring
    this.number ??= writer.instrument(this.descriptor)
    return this.number === undefined ? undefined : writer.series(this.number, attributes, first)
  }

  /** What the cells of a series begin with. */
  protected first(): readonly number[] {
    return this.initial
  }

  /** Adds to a series. */
  protected sum(value: number, attributes: Attributes | undefined, context: Context | undefined): void {
    const whole = this.isInt ? Math.trunc(value) : value
    const series = this.table.find(attributes)
    const { cells, at } = series
    cells[at + SUM] = cells[at + SUM]! + whole
    this.tell(whole, series, context)
  }

  /** To be called with each value: usually there is nobody to be told of it, which one comparison says. */
  protected tell(value: number, series: Series, context: Context | undefined): void {
    if (series.round !== this.measuring.control[OBSERVE]) this.notice(value, series, context)
  }

  /** For those who listen to each value, for the way out of the process, and for an example. */
  private notice(value: number, series: Series, context: Context | undefined): void {
    const { touched, measured, control } = this.measuring
    const round = control[OBSERVE]!
    const isListened = control[SURFACES] !== 0
    const hasExample =
      this.exemplarAt === 0 || series.example === round || this.exemplify(value, series, context, round)
    if (isListened) measured(this.descriptor, value, series.attributes, context)
    if (touched !== undefined) touched()
    // Until the next round, or until somebody begins to listen, which begins one.
    if (hasExample && !isListened && touched === undefined) series.round = round
  }

  /**
   * The first value of a sampled span since the last export is its example (SDK specification, "Exemplar filter": `trace_based`).
   * @returns Whether no more is to be looked for one.
   */
  private exemplify(value: number, series: Series, context: Context | undefined, round: number): boolean {
    const { exemplarOf, time } = this.measuring
    const span = exemplarOf?.(context)
    if (span === undefined && ++series.tries < MOST_TRIES) return false
    series.example = round
    series.tries = 0
    if (span === undefined) return true
    const { cells } = series
    const at = series.at + this.exemplarAt
    const ids = span.traceId + span.spanId
    cells[at + EXEMPLAR_TIME] = 0
    cells[at + EXEMPLAR_VALUE] = value
    for (let i = 0; i < 6; i++)
      cells[at + EXEMPLAR_IDS + i] = Number.parseInt(ids.slice(8 * i, 8 * i + 8), 16)
    cells[at + EXEMPLAR_TIME] = time()
    return true
  }
}

/** Adds what is not negative. */
export class CounterInstrument extends Instrument implements Counter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      count('metric.value')
      return
    }
    this.sum(value, attributes, context)
  }
}

export class UpDownCounterInstrument extends Instrument implements UpDownCounter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (isFiniteNumber(value)) this.sum(value, attributes, context)
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

/** Counts values by their size. */
abstract class Distribution extends Instrument implements Histogram {
  /** The value that is being recorded. */
  protected current = 0

  /** Negative values are ignored, as the specification has it: the sum would not be one that only grows. */
  record(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      count('metric.value')
      return
    }
    const whole = this.isInt ? Math.trunc(value) : value
    this.current = whole
    const series = this.table.find(attributes)
    const cell = this.cellOf(series, whole)
    if (cell < 0) {
      count('metric.overflow')
      return
    }
    const { cells, at } = series
    cells[at + SUM] = cells[at + SUM]! + whole
    if (whole < cells[at + MIN]!) cells[at + MIN] = whole
    if (whole > cells[at + MAX]!) cells[at + MAX] = whole
    // Last: with this it counts.
    cells[at + cell] = cells[at + cell]! + 1
    this.tell(whole, series, context)
  }

  /** Which of a series' cells counts the value; -1 where there is no room for one. */
  protected abstract cellOf(series: Series, value: number): number
}

/** Buckets between bounds that are given. */
export class HistogramInstrument extends Distribution {
  /** Of one kind of number: reading them takes no look at what they are. */
  private readonly bounds: Float64Array

  constructor(descriptor: InstrumentDescriptor, measuring: Measuring) {
    super(descriptor, measuring, [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    this.bounds = Float64Array.from(descriptor.bounds)
  }

  protected cellOf(_series: Series, value: number): number {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    return BUCKETS + bucket
  }
}

/** Buckets of exponential size; see `exponential.ts`. */
export class ExponentialHistogramInstrument extends Distribution {
  /** In a new segment where the value does not fit. */
  protected cellOf(series: Series, value: number): number {
    if (value === 0) return ZEROS
    const scale = series.cells[series.at + SCALE]!
    const index = indexOf(value, scale)
    const bucket = index - series.cells[series.at + OFFSET]!
    if (bucket >= 0 && bucket < MOST_BUCKETS) return FIRST + bucket
    const { from, to } = used(series.cells, series.at) ?? { from: index, to: index }
    const next = room(Math.min(from, index), Math.max(to, index), scale)
    const cells = this.cellsFor(series.attributes, this.segment(next))
    if (cells === undefined) return -1
    Object.assign(series, cells)
    return FIRST + indexOf(value, next.scale) - next.offset
  }

  /** A series begins around its first value. */
  protected override first(): readonly number[] {
    return this.segment(firstRoom(this.current === 0 ? 1 : this.current))
  }

  private segment({ scale, offset }: { readonly scale: number; readonly offset: number }): number[] {
    const cells = new Array<number>(cellsOf(this.descriptor)).fill(0)
    cells[MIN] = Number.POSITIVE_INFINITY
    cells[MAX] = Number.NEGATIVE_INFINITY
    cells[SCALE] = scale
    cells[OFFSET] = offset
    return cells
  }
}
