import { FreeRows } from './free-rows.js'
import { byRow } from './lanes.js'
import type { Trace } from './trace.js'

/**
 * What waited between submit and start in one process, packed into rows as lanes are: a waiting task occupies no thread,
 * and so it stands apart from what runs.
 */
export interface Queue {
  readonly process: number
  readonly rows: number
  /** Spans that waited, of row r: `spans[first[r]]` up to `spans[first[r + 1] - 1]`, ascending. */
  readonly first: Int32Array
  readonly spans: Int32Array
}

export interface Queues {
  readonly queues: readonly Queue[]
  /** When each span was submitted: its start less its wait. */
  readonly submit: Float64Array
}

/** Packs the waits of a trace, a queue for each process in which anything waited. */
export function packQueues(trace: Trace): Queues {
  const { size, start, wait, thread, threads } = trace
  const submit = Float64Array.from({ length: size }, (_, i) => start[i]! - wait[i]!)
  const waiting = new Map<number, number[]>()
  for (let i = 0; i < size; i++) {
    if (wait[i]! <= 0) continue
    const { process } = threads[thread[i]!]!
    const group = waiting.get(process)
    if (group === undefined) waiting.set(process, [i])
    else group.push(i)
  }
  const row = new Int32Array(size)
  const queues: Queue[] = []
  for (const [process, group] of waiting) {
    const members = Int32Array.from(group).sort((a, b) => submit[a]! - submit[b]! || a - b)
    const free = new FreeRows()
    let rows = 0
    for (const span of members) {
      row[span] = free.take(0, submit[span]!, start[span]!)
      rows = Math.max(rows, row[span]! + 1)
    }
    queues.push({ process, rows, ...byRow(members, row, rows) })
  }
  return { queues, submit }
}
