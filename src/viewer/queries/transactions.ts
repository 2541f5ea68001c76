import type { Filter, ServiceRow, TransactionRow } from '../api.js'
import { Mark } from '../store/columns.js'
import type { Store } from '../store/store.js'
import { latency, select } from './selection.js'

/** `GET /api/services`: by number of transactions, the busiest first. */
export function services(store: Store, filter: Filter): ServiceRow[] {
  const { rows, from, to } = select(store, filter)
  const groups = groupBy(rows, (row) => store.lanes.of(store.columns.lane[row]!).service)
  return [...groups]
    .map(([service, group]) => {
      const processes = new Set<string>()
      let language = ''
      for (const row of group) {
        const origin = store.lanes.of(store.columns.lane[row]!)
        processes.add(origin.process)
        language ||= origin.language
      }
      return { ...latency(store, group, from, to), service, processes: processes.size, language }
    })
    .sort((a, b) => b.count - a.count)
}

/** `GET /api/transactions`: by share of the time, the largest first. */
export function transactions(store: Store, filter: Filter): TransactionRow[] {
  const { rows, from, to } = select(store, filter)
  const { columns, lanes, names } = store
  const keyOf = (row: number) => `${columns.name[row]} ${lanes.of(columns.lane[row]!).service}`
  const threads = workerThreads(store, rows, keyOf)
  let total = 0
  for (const row of rows) total += columns.duration(row)
  return [...groupBy(rows, keyOf)]
    .map(([key, group]) => {
      const numbers = latency(store, group, from, to)
      return {
        ...numbers,
        service: lanes.of(columns.lane[group[0]!]!).service,
        name: names.value(columns.name[group[0]!]!),
        impact: total === 0 ? 0 : (numbers.mean * numbers.count) / total,
        threads: threads.get(key)?.size ?? 0,
      }
    })
    .sort((a, b) => b.impact - a.impact)
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
      const owner = transactionOf(store, row)
      const key = owner < 0 ? undefined : groupOf.get(owner)
      if (key === undefined) continue
      const lane = columns.lane[row]!
      const { id } = lanes.lanes.value(lane)
      if (id === null || id === 0) continue
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
