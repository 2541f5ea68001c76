import { ERROR, nameOf, serviceOf, type Trace } from './trace.js'

/** What the spans of one name and service amount to in a trace. Times are milliseconds. */
export interface NameStatistics {
  readonly service: string
  readonly name: string
  count: number
  errors: number
  total: number
  self: number
  most: number
  /** Spent in queues before. */
  waited: number
  /** The longest of them. */
  longest: number
}

/** Sums up a trace by service and name, in order of first appearance. */
export function statistics(trace: Trace, self: Float64Array): NameStatistics[] {
  const rows = new Map<string, NameStatistics>()
  for (let span = 0; span < trace.size; span++) {
    const key = `${trace.threads[trace.thread[span]!]!.process} ${trace.name[span]}`
    let row = rows.get(key)
    if (row === undefined) {
      const [service, name] = [serviceOf(trace, span), nameOf(trace, span)]
      row = { service, name, count: 0, errors: 0, total: 0, self: 0, most: -1, waited: 0, longest: span }
      rows.set(key, row)
    }
    const time = trace.end[span]! - trace.start[span]!
    row.count++
    row.total += time
    row.self += self[span]!
    row.waited += trace.wait[span]!
    if ((trace.flags[span]! & ERROR) !== 0) row.errors++
    if (time > row.most) {
      row.most = time
      row.longest = span
    }
  }
  return merged([...rows.values()])
}

/** Processes of one service count together. */
function merged(rows: readonly NameStatistics[]): NameStatistics[] {
  const out = new Map<string, NameStatistics>()
  for (const row of rows) {
    const key = `${row.service}\n${row.name}`
    const known = out.get(key)
    if (known === undefined) {
      out.set(key, row)
      continue
    }
    known.count += row.count
    known.errors += row.errors
    known.total += row.total
    known.self += row.self
    known.waited += row.waited
    if (row.most > known.most) {
      known.most = row.most
      known.longest = row.longest
    }
  }
  return [...out.values()]
}
