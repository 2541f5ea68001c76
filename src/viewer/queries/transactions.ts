import type { Filter, ServiceRow, Totals, TransactionRow } from '../api.js'
import { Mark } from '../store/columns.js'
import type { Store } from '../store/store.js'
import { type Paged, paged } from './paging.js'
import { latency, select, typeOf } from './selection.js'

/** Parts of the time in the trend of a service. */
const TREND = 30

const LATENCY = {
  count: (row: { count: number }) => row.count,
  throughput: (row: { throughput: number }) => row.throughput,
  mean: (row: { mean: number }) => row.mean,
  p50: (row: { p50: number }) => row.p50,
  p95: (row: { p95: number }) => row.p95,
  p99: (row: { p99: number }) => row.p99,
  errors: (row: { errors: number }) => row.errors,
  failed: (row: { errors: number; count: number }) => row.errors / Math.max(1, row.count),
}

/** `GET /api/services`: the busiest first unless sorted. A service that calls only is among them, with no transaction. */
export function services(store: Store, filter: Filter): Paged<ServiceRow> {
  const { rows, from, to, minutes } = select(store, filter, true)
  const groups = groupBy(rows, (row) => store.lanes.of(store.columns.lane[row]!).service)
  const list = [...groups].map(([service, all]) => {
    const counted = filter.type === 'call' ? all : all.filter((row) => typeOf(store, row) !== 'call')
    const processes = new Set<string>()
    let language = ''
    for (const row of all) {
      const origin = store.lanes.of(store.columns.lane[row]!)
      processes.add(origin.process)
      language ||= origin.language
    }
    const trend = new Array<number>(TREND).fill(0)
    for (const row of counted) {
      const share = (store.columns.start(row) - from) / Math.max(1, to - from)
      trend[Math.min(TREND - 1, Math.max(0, Math.floor(share * TREND)))]!++
    }
    const calls = filter.type === 'call' ? 0 : all.length - counted.length
    const numbers = latency(store, counted, minutes)
    return { ...numbers, service, processes: processes.size, language, calls, trend }
  })
  return paged(list, filter, {
    by: {
      ...LATENCY,
      service: (row) => row.service,
      processes: (row) => row.processes,
      calls: (row) => row.calls,
    },
    otherwise: 'count',
    limit: 1000,
    most: 1000,
  })
}

/** `GET /api/totals` */
export function totals(store: Store, filter: Filter): Totals {
  const { rows, minutes } = select(store, filter)
  const { from, to } = filter
  const before =
    from === undefined || to === undefined || to <= from
      ? undefined
      : select(store, { ...filter, from: from - (to - from), to: from })
  return {
    now: latency(store, rows, minutes),
    before: before === undefined ? null : latency(store, before.rows, before.minutes),
  }
}

/** `GET /api/transactions`: by share of the time, the largest first unless sorted. */
export function transactions(store: Store, filter: Filter): Paged<TransactionRow> {
  const { rows, minutes } = select(store, filter)
  const { columns, lanes, names } = store
  const keyOf = (row: number) =>
    `${columns.name[row]} ${columns.kind[row]} ${lanes.of(columns.lane[row]!).service}`
  const threads = workerThreads(store, rows, keyOf)
  const own = ownTimes(store, rows)
  let total = 0
  for (const time of own.values()) total += time
  const list = [...groupBy(rows, keyOf)].map(([key, group]) => {
    let time = 0
    for (const row of group) time += own.get(row)!
    return {
      ...latency(store, group, minutes),
      service: lanes.of(columns.lane[group[0]!]!).service,
      name: names.value(columns.name[group[0]!]!),
      type: typeOf(store, group[0]!),
      impact: total === 0 ? 0 : time / total,
      threads: threads.get(key)?.size ?? 0,
    }
  })
  return paged(list, filter, {
    by: {
      ...LATENCY,
      name: (row) => row.name,
      service: (row) => row.service,
      type: (row) => row.type,
      threads: (row) => row.threads,
      impact: (row) => row.impact,
    },
    otherwise: 'impact',
    limit: 1000,
    most: 1000,
  })
}

/**
 * The time of each transaction in which none ran that it called, milliseconds: a request that waits for another service's is not a second
 * time that much work.
 */
function ownTimes(store: Store, rows: readonly number[]): Map<number, number> {
  const { columns } = store
  const own = new Map<number, number>()
  const called = new Map<number, number[]>()
  for (const trace of new Set(rows.map((row) => store.traceOf(row)))) {
    if (trace.transactions.length < 2) continue
    for (const row of trace.transactions) {
      const parent = columns.up[row]!
      const owner = parent < 0 ? -1 : transactionOf(store, parent)
      if (owner < 0 || owner === row) continue
      const list = called.get(owner)
      if (list === undefined) called.set(owner, [row])
      else list.push(row)
    }
  }
  for (const row of rows) {
    const end = columns.duration(row)
    let covered = 0
    let reached = 0
    const inner =
      called.get(row)?.sort((a, b) => columns.startAfter(a, row) - columns.startAfter(b, row)) ?? []
    for (const other of inner) {
      const from = Math.max(reached, columns.startAfter(other, row))
      const to = Math.min(end, columns.endAfter(other, row))
      if (to <= from) continue
      covered += to - from
      reached = to
    }
    own.set(row, end - covered)
  }
  return own
}

/** The threads other than main threads in which spans of the transactions ran, by the transactions' group. */
function workerThreads(
  store: Store,
  rows: number[],
  keyOf: (row: number) => string,
): Map<string, Set<number>> {
  const { columns, lanes } = store
  const groupOf = new Map<number, string>(rows.map((row) => [row, keyOf(row)]))
  const threads = new Map<string, Set<number>>()
  for (const trace of new Set(rows.map((row) => store.traceOf(row)))) {
    for (const row of store.rows(trace)) {
      const lane = columns.lane[row]!
      const { id } = lanes.lanes.value(lane)
      if (id === null || id === 0) continue
      const owner = transactionOf(store, row)
      const key = owner < 0 ? undefined : groupOf.get(owner)
      if (key === undefined) continue
      const set = threads.get(key)
      if (set === undefined) threads.set(key, new Set([lane]))
      else set.add(lane)
    }
  }
  return threads
}

/** The transaction that a span of a settled trace belongs to: itself or its nearest ancestor that is one, or -1. */
export function transactionOf(store: Store, row: number): number {
  const { up, marks } = store.columns
  let at = row
  while (at >= 0 && (marks[at]! & Mark.transaction) === 0) {
    if ((marks[at]! & Mark.cycle) !== 0) return -1
    at = up[at]!
  }
  return at < 0 ? -1 : at
}

/** Values (rows, series) by key, in order of first appearance. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
