/**
 * What all threads of a process and its descendants have measured, merged: for each instrument and set of attributes one point. Threads that
 * are gone count on.
 */
import { now, unixNano } from '../core/clock.js'
import { attributesIn } from '../otlp/decode-common.js'
import type { ScopeMetrics } from '../otlp/metrics-types.js'
import type { Attributes } from '../otlp/types.js'
import type { CellSource, CellTarget } from './cells.js'
import { difference, merge } from './combine.js'
import {
  cellsOf,
  type InstrumentDescriptor,
  type InstrumentKind,
  isObservable,
  OBSERVED_IN,
  parseDescriptor,
  SET_AT,
} from './descriptor.js'
import { metricOf, type State } from './points.js'
import { MOST_SERIES } from './series-table.js'

/** Instruments of one process at most. */
const MOST_INSTRUMENTS = 4000

/** A source that measures. */
export interface MergedSource {
  /** It is gone; what it has measured counts on. */
  end(): void
}

interface Live {
  readonly cells: Float64Array
  readonly source: CellSource
}

class MergedPoint {
  readonly live = new Set<Live>()
  /** What sources have left that are gone. */
  left: Float64Array | undefined

  constructor(readonly attributes: Attributes) {}
}

class MergedInstrument {
  readonly points = new Map<string, MergedPoint>()

  constructor(readonly descriptor: InstrumentDescriptor) {}

  point(attributes: Uint8Array): MergedPoint {
    const key = Buffer.from(attributes.buffer, attributes.byteOffset, attributes.length).toString('latin1')
    const known = this.points.get(key)
    if (known !== undefined) return known
    // The last place is for what is too much.
    if (this.points.size < MOST_SERIES - 1) return this.add(key, attributesIn(attributes))
    return this.points.get('overflow') ?? this.add('overflow', { 'otel.metric.overflow': true })
  }

  private add(key: string, attributes: Attributes): MergedPoint {
    const point = new MergedPoint(attributes)
    this.points.set(key, point)
    return point
  }
}

/** What a reader that is told of differences has been told until now. */
export class DeltaView {
  /** What each point was. */
  readonly told = new WeakMap<object, Float64Array>()
  /** Until when, in nanoseconds since the epoch. */
  until: bigint | undefined

  /** @param isDelta Whether the reader wants differences of instruments of that kind. */
  constructor(readonly isDelta: (kind: InstrumentKind) => boolean) {}
}

/** What was collected for one reader. */
export interface Collected {
  readonly scopes: ScopeMetrics[]
  /** It has arrived: differences are told from here on. */
  arrived(): void
}

export class MergedMetrics {
  private readonly instruments = new Map<string, MergedInstrument>()
  private readonly sources = new Set<() => void>()

  /** @param since When the process began, in nanoseconds since the epoch: its sums are of the time from then on. */
  constructor(private readonly since: bigint) {}

  /** One more source, whose cells are read as they are whenever metrics are collected. */
  add(source: CellSource): MergedSource {
    const numbers = new Map<number, MergedInstrument>()
    const lives: {
      readonly instrument: MergedInstrument
      readonly point: MergedPoint
      readonly live: Live
    }[] = []
    const target: CellTarget = {
      instrument: (number, text) => {
        const descriptor = parseDescriptor(Buffer.from(text).toString())
        const instrument = descriptor && this.instrument(descriptor)
        if (instrument !== undefined) numbers.set(number, instrument)
      },
      series: (number, attributes, cells) => {
        const instrument = numbers.get(number)
        if (instrument === undefined || cells.length !== cellsOf(instrument.descriptor)) return
        const point = instrument.point(attributes)
        const live = { cells, source }
        point.live.add(live)
        lives.push({ instrument, point, live })
      },
    }
    const read = (): void => source.read(target)
    this.sources.add(read)
    return {
      end: () => {
        read()
        this.sources.delete(read)
        for (const { instrument, point, live } of lives) {
          point.live.delete(live)
          // Nobody is there of whom it would still be so.
          if (instrument.descriptor.kind === 'observablegauge') continue
          point.left = merge(instrument.descriptor, point.left, Float64Array.from(live.cells))
        }
      },
    }
  }

  private instrument(descriptor: InstrumentDescriptor): MergedInstrument | undefined {
    const key = JSON.stringify({ ...descriptor, name: descriptor.name.toLowerCase() })
    let instrument = this.instruments.get(key)
    if (instrument === undefined && this.instruments.size < MOST_INSTRUMENTS) {
      instrument = new MergedInstrument(descriptor)
      this.instruments.set(key, instrument)
    }
    return instrument
  }

  /** All there is, by scope; sums and histograms are cumulative where the reader does not want differences. */
  collect(view?: DeltaView): Collected {
    for (const read of this.sources) read()
    const scopes = new Map<string, ScopeMetrics>()
    const time = unixNano(now())
    const told: [point: MergedPoint, cells: Float64Array][] = []
    for (const { descriptor, points } of this.instruments.values()) {
      const isDelta = view?.isDelta(descriptor.kind) === true
      const states: State[] = []
      for (const point of points.values()) {
        const cells = stateOf(descriptor, point)
        if (cells === undefined) continue
        const before = isDelta ? view.told.get(point) : undefined
        if (isDelta) told.push([point, cells])
        const shown = before === undefined ? cells : difference(descriptor, cells, before)
        if (shown !== undefined) states.push({ attributes: point.attributes, cells: shown })
      }
      if (states.length === 0) continue
      const since = isDelta ? (view.until ?? this.since) : this.since
      const metric = metricOf(descriptor, states, { since, after: view?.until ?? 0n, time, isDelta })
      const { name, version, schemaUrl } = descriptor.scope
      const key = JSON.stringify(descriptor.scope)
      let scope = scopes.get(key)
      if (scope === undefined) {
        const own = { name, version, attributes: {}, droppedAttributesCount: 0 }
        scope = { scope: own, metrics: [], schemaUrl }
        scopes.set(key, scope)
      }
      scope.metrics.push(metric)
    }
    return {
      scopes: [...scopes.values()],
      arrived() {
        if (view === undefined) return
        for (const [point, cells] of told) view.told.set(point, cells)
        view.until = time
      },
    }
  }
}

/** What all sources say of a point; undefined where none says anything. */
function stateOf(descriptor: InstrumentDescriptor, { live, left }: MergedPoint): Float64Array | undefined {
  const { kind } = descriptor
  let cells: Float64Array | undefined = left && Float64Array.from(left)
  for (const one of live) {
    // Said in an earlier round and no more, or about to be said for the first time.
    const { round } = one.source
    if (isObservable(kind) && round !== undefined && one.cells[OBSERVED_IN] !== round) continue
    if (kind === 'gauge' && one.cells[SET_AT] === 0) continue
    cells = merge(descriptor, cells, Float64Array.from(one.cells))
  }
  return cells
}
