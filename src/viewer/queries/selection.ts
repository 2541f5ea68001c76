import type { Filter, Latency } from '../api.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { Search } from './search.js'
import { isError } from './status-text.js'

/** The transactions that a filter picks, as rows, and the time they cover in milliseconds since the epoch. */
export interface Selection {
  rows: number[]
  from: number
  to: number
}

/** Picks transactions: all of `filter` must hold for the transaction itself, the search for any span of its trace. */
export function select(store: Store, filter: Filter): Selection {
  store.settle()
  const rows: number[] = []
  const matches = matcher(store, filter)
  const search = filter.search === undefined ? undefined : new Search(filter.search)
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const trace of store.traces.values()) {
    let found: boolean | undefined
    for (const row of trace.transactions) {
      if (!matches(row)) continue
      found ??= search === undefined || search.matches(store, trace)
      if (!found) break
      rows.push(row)
      const start = store.columns.start(row)
      first = Math.min(first, start)
      last = Math.max(last, start + store.columns.duration(row))
    }
  }
  const from = filter.from ?? (rows.length === 0 ? 0 : first)
  return { rows, from, to: Math.max(from, filter.to ?? (rows.length === 0 ? 0 : last)) }
}

/**
 * The traces in which a filter picks a transaction, newest first. A trace without one, all of whose roots are missing,
 * is judged by the span that stands for it.
 */
export function selectTraces(store: Store, filter: Filter, limit: number): Trace[] {
  store.settle()
  const matches = matcher(store, filter)
  const candidates: Trace[] = []
  for (const trace of store.traces.values()) {
    if (trace.transactions.length === 0 ? matches(trace.root) : trace.transactions.some(matches))
      candidates.push(trace)
  }
  const { columns } = store
  candidates.sort((a, b) => columns.start(b.origin) - columns.start(a.origin))
  if (filter.search === undefined) return candidates.slice(0, limit)
  const search = new Search(filter.search)
  const found: Trace[] = []
  for (const trace of candidates) {
    if (search.matches(store, trace)) found.push(trace)
    if (found.length === limit) break
  }
  return found
}

function matcher(store: Store, filter: Filter): (row: number) => boolean {
  const { columns, lanes, names } = store
  const { service, transaction, host, status, from, to, min, max } = filter
  return (row) => {
    if (transaction !== undefined && names.value(columns.name[row]!) !== transaction) return false
    if (service !== undefined && lanes.of(columns.lane[row]!).service !== service) return false
    if (host !== undefined && lanes.of(columns.lane[row]!).host !== host) return false
    if (status !== undefined && !hasStatus(store, row, status)) return false
    if (from !== undefined || to !== undefined) {
      const start = columns.start(row)
      if (start < (from ?? Number.NEGATIVE_INFINITY) || start > (to ?? Number.POSITIVE_INFINITY)) return false
    }
    if (min === undefined && max === undefined) return true
    const duration = columns.duration(row)
    return duration >= (min ?? 0) && duration <= (max ?? Number.POSITIVE_INFINITY)
  }
}

function hasStatus(store: Store, row: number, status: string): boolean {
  if (status === 'ok') return !isError(store, row)
  if (status === 'error') return isError(store, row)
  return String(store.columns.http[row]) === status
}

/** Counts and percentiles of transactions; throughput per minute over `from` to `to`, and at least over one second. */
export function latency(store: Store, rows: readonly number[], from: number, to: number): Latency {
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
    throughput: (rows.length * 60_000) / Math.max(1000, to - from),
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
