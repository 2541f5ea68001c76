import type { Filter, Latency, TransactionType } from '../api.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { Search } from './search.js'
import { hasStatus, isError } from './status-text.js'

/** Milliseconds since the epoch: of the filter, else of all transactions, whatever the filter picks, so that charts keep their axis. */
export interface TimeRange {
  from: number
  to: number
}

const TYPES: readonly TransactionType[] = ['task', 'task', 'request', 'call', 'call', 'message']

/** What a transaction is, by its kind. */
export function typeOf(store: Store, row: number): TransactionType {
  return TYPES[store.columns.kind[row]!] ?? 'task'
}

/**
 * Picks transactions, as rows: all of `filter` must hold for the transaction itself, the search for any span of its trace.
 * @param calls whether calls are picked as well where the filter names no type
 */
export function select(store: Store, filter: Filter, calls = false): number[] {
  store.settle()
  const rows: number[] = []
  const matches = matcher(store, filter, calls)
  const search = filter.search === undefined ? undefined : new Search(filter.search)
  for (const trace of inOrder(store, search)) {
    let found: boolean | undefined
    for (const row of trace.transactions) {
      if (found === false || !matches(row)) continue
      found ??= search === undefined || search.matches(store, trace)
      if (found) rows.push(row)
    }
  }
  return search === undefined ? rows : rows.reverse()
}

/** All traces as they came; for a search the newest first, which it finds where it does not get to all. */
function inOrder(store: Store, search: Search | undefined): Iterable<Trace> {
  return search === undefined ? store.traces.values() : [...store.traces.values()].reverse()
}

/** The time that a filter is about. */
export function timeRange(store: Store, filter: Filter): TimeRange {
  store.settle()
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  if (filter.from === undefined || filter.to === undefined) {
    for (const { transactions } of store.traces.values()) {
      for (const row of transactions) {
        const start = store.columns.start(row)
        first = Math.min(first, start)
        last = Math.max(last, start + store.columns.duration(row))
      }
    }
  }
  const from = filter.from ?? (first > last ? 0 : first)
  return { from, to: Math.max(from, filter.to ?? (first > last ? 0 : last)) }
}

/**
 * The traces in which a filter picks a transaction, in order of arrival. A trace without one, all of whose roots are missing,
 * is judged by the span that stands for it.
 */
export function selectTraces(store: Store, filter: Filter): Trace[] {
  store.settle()
  const matches = matcher(store, filter, true)
  const search = filter.search === undefined ? undefined : new Search(filter.search)
  const found: Trace[] = []
  for (const trace of inOrder(store, search)) {
    if (trace.transactions.length === 0 ? !matches(trace.root) : !trace.transactions.some(matches)) continue
    if (search === undefined || search.matches(store, trace)) found.push(trace)
  }
  return search === undefined ? found : found.reverse()
}

function matcher(store: Store, filter: Filter, calls: boolean): (row: number) => boolean {
  const { columns, lanes, names } = store
  const { service, environment, transaction, type, host, process, status, from, to, min, max } = filter
  return (row) => {
    if (type === undefined ? !calls && typeOf(store, row) === 'call' : typeOf(store, row) !== type)
      return false
    if (transaction !== undefined && names.value(columns.name[row]!) !== transaction) return false
    const origin = lanes.of(columns.lane[row]!)
    if (service !== undefined && origin.service !== service) return false
    if (environment !== undefined && origin.environment !== environment) return false
    if (host !== undefined && origin.host !== host) return false
    if (process !== undefined && origin.processKey !== process) return false
    if (status !== undefined && !hasStatus(store, row, status)) return false
    if (from !== undefined || to !== undefined) {
      const start = columns.start(row)
      if (start < (from ?? Number.NEGATIVE_INFINITY) || start > (to ?? Number.POSITIVE_INFINITY)) return false
    }
    return (min === undefined && max === undefined) || isWithin(columns.duration(row), filter)
  }
}

/** Whether a duration lies within the bounds of a filter. */
export function isWithin(duration: number, { min, max }: Filter): boolean {
  return duration >= (min ?? 0) && duration <= (max ?? Number.POSITIVE_INFINITY)
}

/**
 * How many per minute. In less than a minute the spaces between them tell, of which there is one less: so one alone counts as one a
 * minute, and twenty within two seconds as nearly six hundred.
 */
export function perMinute(count: number, { from, to }: TimeRange): number {
  const time = to - from
  return 60_000 * Math.max(count / Math.max(60_000, time), (count - 1) / Math.max(1000, time))
}

/** Counts and percentiles of transactions, and how many there were per minute. */
export function latency(store: Store, rows: readonly number[], time: TimeRange): Latency {
  const durations = new Float64Array(rows.length)
  let errors = 0
  let sum = 0
  for (const [i, row] of rows.entries()) {
    durations[i] = store.columns.duration(row)
    sum += durations[i]!
    if (isError(store, row)) errors++
  }
  durations.sort()
  return {
    count: rows.length,
    errors,
    throughput: perMinute(rows.length, time),
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    p99: percentile(durations, 0.99),
    mean: rows.length === 0 ? 0 : sum / rows.length,
  }
}

/** The value at rank ceil(q * n) of ascending values (nearest rank); 0 when there are none. */
export function percentile(sorted: Float64Array, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
}
