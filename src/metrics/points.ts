/** What was merged, as OTLP's data model has it. */
import type {
  Exemplar,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  NumberPoint,
} from '../otlp/metrics-types.js'
import type { Attributes } from '../otlp/types.js'
import {
  BUCKETS,
  bodyOf,
  EXEMPLAR_CELLS,
  EXEMPLAR_IDS,
  EXEMPLAR_TIME,
  EXEMPLAR_VALUE,
  hasExemplar,
  type InstrumentDescriptor,
  MAX,
  MIN,
  OBSERVED_AT,
  SET_AT,
  SUM,
  VALUE,
} from './descriptor.js'
import { FIRST, OFFSET, SCALE, used, ZEROS } from './exponential.js'

/** What all sources say of a set of attributes. */
export interface State {
  readonly attributes: Attributes
  readonly cells: Float64Array
}

export interface Interval {
  readonly since: bigint
  /** Exemplars are of the time since then. */
  readonly after: bigint
  readonly time: bigint
  readonly isDelta: boolean
}

/** The metric of an instrument. */
export function metricOf(
  descriptor: InstrumentDescriptor,
  states: readonly State[],
  { since, after, time, isDelta }: Interval,
): Metric {
  const { kind, name, description, unit } = descriptor
  const temporality = isDelta ? 1 : 2
  if (descriptor.isExponential) {
    const points = states.map(
      ({ attributes, cells }): ExponentialHistogramPoint => ({
        ...exponential(cells),
        ...exemplified(exemplarsOf(descriptor, cells, after, time)),
        attributes,
        startTimeUnixNano: since,
        timeUnixNano: time,
        flags: 0,
      }),
    )
    return { name, description, unit, data: { kind: 'exponentialHistogram', points, temporality } }
  }
  if (kind === 'histogram') {
    const points = states.map(
      ({ attributes, cells }): HistogramPoint => ({
        ...distribution(descriptor, cells),
        ...exemplified(exemplarsOf(descriptor, cells, after, time)),
        attributes,
        startTimeUnixNano: since,
        timeUnixNano: time,
        flags: 0,
        explicitBounds: [...descriptor.bounds],
      }),
    )
    return { name, description, unit, data: { kind: 'histogram', points, temporality } }
  }
  const isGauge = kind === 'gauge' || kind === 'observablegauge'
  const at = kind === 'gauge' ? SET_AT : OBSERVED_AT
  const points = states.map(
    ({ attributes, cells }): NumberPoint => ({
      attributes,
      startTimeUnixNano: isGauge ? 0n : since,
      // What a thread has last said is as old as it is.
      timeUnixNano: isGauge ? nanosOf(cells[at]!) : time,
      flags: 0,
      ...exemplified(exemplarsOf(descriptor, cells, after, time)),
      ...(descriptor.isInt ? { value: integer(cells[VALUE]!) } : { value: cells[VALUE]!, isDouble: true }),
    }),
  )
  if (isGauge) return { name, description, unit, data: { kind: 'gauge', points } }
  const monotonic = kind === 'counter' || kind === 'observablecounter'
  return { name, description, unit, data: { kind: 'sum', points, temporality, monotonic } }
}

function exemplified(exemplars: readonly Exemplar[]): { exemplars?: readonly Exemplar[] } {
  return exemplars.length === 0 ? {} : { exemplars }
}

function integer(value: number): number | bigint {
  if (!Number.isFinite(value)) return 0
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? whole : BigInt(whole)
}

function distribution(
  descriptor: InstrumentDescriptor,
  cells: Float64Array,
): Pick<HistogramPoint, 'count' | 'sum' | 'min' | 'max' | 'bucketCounts'> {
  const bucketCounts = [...cells.subarray(BUCKETS, bodyOf(descriptor))].map(countOf)
  let count = 0
  for (const bucket of bucketCounts) count += bucket
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null)
  return { bucketCounts, count, sum: cells[SUM]!, min: known(cells[MIN]!), max: known(cells[MAX]!) }
}

function exponential(
  cells: Float64Array,
): Omit<ExponentialHistogramPoint, 'attributes' | 'startTimeUnixNano' | 'timeUnixNano' | 'flags'> {
  const { from, to } = used(cells) ?? { from: 0, to: -1 }
  const at = FIRST + from - cells[OFFSET]!
  const bucketCounts = [...cells.subarray(at, at + to - from + 1)].map(countOf)
  const zeroCount = countOf(cells[ZEROS]!)
  let count = zeroCount
  for (const bucket of bucketCounts) count += bucket
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null)
  return {
    count,
    sum: cells[SUM]!,
    min: known(cells[MIN]!),
    max: known(cells[MAX]!),
    scale: whole(cells[SCALE]!),
    zeroCount,
    zeroThreshold: 0,
    positive: { offset: whole(from), bucketCounts },
    negative: { offset: 0, bucketCounts: [] },
  }
}

/** A descendant's file can say anything. */
function whole(cell: number): number {
  return Number.isSafeInteger(cell) && Math.abs(cell) < 2 ** 31 ? cell : 0
}

/**
 * Of the time behind `after` up to `until`, in nanoseconds since the epoch: cells go on changing while they are read, and what has come since is
 * told with the next export, once.
 */
function exemplarsOf(
  descriptor: InstrumentDescriptor,
  cells: Float64Array,
  after: bigint,
  until: bigint,
): Exemplar[] {
  if (!hasExemplar(descriptor.kind)) return []
  const at = bodyOf(descriptor)
  const timeUnixNano = nanosOf(cells[at + EXEMPLAR_TIME]!)
  if (timeUnixNano <= after || timeUnixNano > until) return []
  const words = [...cells.subarray(at + EXEMPLAR_IDS, at + EXEMPLAR_CELLS)]
  const ids = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  return [
    { value: cells[at + EXEMPLAR_VALUE]!, timeUnixNano, traceId: ids.slice(0, 32), spanId: ids.slice(32) },
  ]
}

/** A descendant's file can say anything. */
function countOf(cell: number): number {
  return cell > 0 && cell <= Number.MAX_SAFE_INTEGER ? Math.floor(cell) : 0
}

/** @param ms Milliseconds since the epoch. */
function nanosOf(ms: number): bigint {
  return BigInt(countOf(ms * 1000)) * 1000n
}
