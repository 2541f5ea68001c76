import type { Filter, ServiceRow, Totals, TransactionRow } from '../api.js'
import type { Store } from '../store/store.js'
import { transactionOf } from '../store/trace.js'
import { byFields, type Paged, paged } from './paging.js'
import { latency, select, timeRange, typeOf } from './selection.js'

/** Parts of the time in the trend of a service. */
const TREND = 30

const LATENCY = {
  ...byFields('count', 'throughput', 'mean', 'p50', 'p95', 'p99', 'errors'),
  failed: (row: { errors: number; count: number }) => row.errors / Math.max(1, row.count),
}

/** `GET /api/services`: the busiest first unless sorted. A service that calls only is among them, with no transaction. */
export function services(store: Store, filter: Filter): Paged<ServiceRow> {
  const rows = select(store, filter, true)
  const time = timeRange(store, filter)
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
      const share = (store.columns.start(row) - time.from) / Math.max(1, time.to - time.from)
      trend[Math.min(TREND - 1, Math.max(0, Math.floor(share * TREND)))]!++
    }
    const calls = filter.type === 'call' ? 0 : all.length - counted.length
    const numbers = latency(store, counted, time)
    return { ...numbers, service, processes: processes.size, language, calls, trend }
  })
  return paged(list, filter, {
    by: { ...LATENCY, ...byFields('service', 'processes', 'calls') },
    otherwise: 'count',
    limit: 1000,
    most: 1000,
  })
}

/** `GET /api/totals` */
export function totals(store: Store, filter: Filter): Totals {
  const figures = (of: Filter) => latency(store, select(store, of), timeRange(store, of))
  const { from, to } = filter
  const hasBefore = from !== undefined && to !== undefined && to > from
  return {
    now: figures(filter),
    before: hasBefore ? figures({ ...filter, from: from - (to - from), to: from }) : null,
  }
}

/** `GET /api/transactions`: by share of the time, the largest first unless sorted. */
export function transactions(store: Store, filter: Filter): Paged<TransactionRow> {
  const rows = select(store, filter)
  const time = timeRange(store, filter)
  const { columns, lanes, names } = store
  // By row, where it stands among those that were picked. Half a million of them are no rarity: no object each.
  const place = new Int32Array(columns.capacity).fill(-1)
  for (const [i, row] of rows.entries()) place[row] = i
  const { groups, groupOf } = grouped(store, rows)
  const threads = workerThreads(store, rows, place, groupOf)
  const own = ownTimes(store, rows, place)
  const times = groups.map(() => 0)
  let total = 0
  for (const [i, time] of own.entries()) {
    times[groupOf[i]!]! += time
    total += time
  }
  const list = groups.map((group, i) => ({
    ...latency(store, group, time),
    service: lanes.of(columns.lane[group[0]!]!).service,
    name: names.value(columns.name[group[0]!]!),
    type: typeOf(store, group[0]!),
    impact: total === 0 ? 0 : times[i]! / total,
    threads: threads[i]?.size ?? 0,
  }))
  return paged(list, filter, {
    by: { ...LATENCY, ...byFields('name', 'service', 'type', 'threads', 'impact') },
    otherwise: 'impact',
    limit: 1000,
    most: 1000,
  })
}

/** Rows by name, kind and service, and the group of each. */
function grouped(store: Store, rows: readonly number[]): { groups: number[][]; groupOf: Int32Array } {
  const { columns, lanes } = store
  const services = new Map<string, number>()
  const numbers = new Map<number, number>()
  const groups: number[][] = []
  const groupOf = new Int32Array(rows.length)
  for (const [i, row] of rows.entries()) {
    const { service } = lanes.of(columns.lane[row]!)
    let number = services.get(service)
    if (number === undefined) {
      number = services.size
      services.set(service, number)
    }
    // Names are fewer than 2 ** 32, and kinds than 8.
    const key = (number * 8 + columns.kind[row]!) * 4294967296 + columns.name[row]!
    let group = numbers.get(key)
    if (group === undefined) {
      group = groups.length
      numbers.set(key, group)
      groups.push([])
    }
    groups[group]!.push(row)
    groupOf[i] = group
  }
  return { groups, groupOf }
}

/**
 * The time of each transaction in which none ran that it called, milliseconds: a request that waits for another service's is not a second
 * time that much work.
 * @param place where each row stands among `rows`, or -1
 */
function ownTimes(store: Store, rows: readonly number[], place: Int32Array): Float64Array {
  const { columns } = store
  const own = Float64Array.from(rows, (row) => columns.duration(row))
  const called = new Map<number, number[]>()
  for (const trace of new Set(rows.map((row) => store.traceOf(row)))) {
    if (trace.transactions.length < 2) continue
    called.clear()
    for (const row of trace.transactions) {
      const parent = columns.up[row]!
      const owner = parent < 0 ? -1 : transactionOf(parent, columns)
      if (owner < 0 || owner === row || place[owner]! < 0) continue
      const list = called.get(owner)
      if (list === undefined) called.set(owner, [row])
      else list.push(row)
    }
    for (const [owner, inner] of called) own[place[owner]!]! -= covered(store, owner, inner)
  }
  return own
}

/** Milliseconds of a row in which at least one of others ran. */
function covered(store: Store, row: number, others: number[]): number {
  const { columns } = store
  const end = columns.duration(row)
  others.sort((a, b) => columns.startAfter(a, row) - columns.startAfter(b, row))
  let sum = 0
  let reached = 0
  for (const other of others) {
    const from = Math.max(reached, columns.startAfter(other, row))
    const to = Math.min(end, columns.endAfter(other, row))
    if (to <= from) continue
    sum += to - from
    reached = to
  }
  return sum
}

/** The threads other than main threads in which spans of the transactions ran, by the transactions' group. */
function workerThreads(
  store: Store,
  rows: readonly number[],
  place: Int32Array,
  groupOf: Int32Array,
): (Set<number> | undefined)[] {
  const threads: (Set<number> | undefined)[] = []
  for (const { workers } of new Set(rows.map((row) => store.traceOf(row)))) {
    for (let i = 0; i < workers.length; i += 2) {
      const at = place[workers[i]!]!
      if (at < 0) continue
      const group = groupOf[at]!
      threads[group] ??= new Set()
      threads[group].add(workers[i + 1]!)
    }
  }
  return threads
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
