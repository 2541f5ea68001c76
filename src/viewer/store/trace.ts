import { type Columns, Mark, MISSING, RELATIVE, ROOT } from './columns.js'
import type { Lanes } from './lanes.js'
import type { SpanIndex } from './span-index.js'

const NONE: readonly number[] = []

/** One trace in the store. What is below `settled` is right only after `settle`. */
export class Trace {
  /** Row of the span that came first and last. */
  first = -1
  last = -1
  spans = 0
  settled = false
  /** Row of the span that stands for the trace: the earliest root, else the earliest span. */
  root = -1
  /** Row of the span that starts first. */
  origin = -1
  /** Milliseconds from the first start to the last end. */
  duration = 0
  errors = 0
  orphans = 0
  threads = 0
  processes = 0
  /** Rows of the local roots, in order of arrival. */
  transactions: readonly number[] = []
  /** Pairs of a local root's row and a lane of a Worker in which spans of it ran, each once. */
  workers: readonly number[] = NONE

  constructor(
    /** The sixteen bytes of the id, as a latin1 string: half the memory of its hexadecimal form. */
    readonly key: string,
    readonly slot: number,
  ) {}

  /** 32 hexadecimal digits. */
  get id(): string {
    return Buffer.from(this.key, 'latin1').toString('hex')
  }
}

const SERVER = 2
const CONSUMER = 5

/**
 * Works out what depends on all spans of a trace together: parents, orphans, cycles, local roots and the sums. Spans
 * come late and in any order, so this is done when somebody asks, and again after the next span.
 */
export function settle(trace: Trace, columns: Columns, index: SpanIndex, lanes: Lanes): void {
  const { next, marks, up, state, lane } = columns
  const threads = new Set<number>()
  const processes = new Set<string>()
  let origin = trace.first
  let end = 0
  trace.errors = 0
  trace.orphans = 0
  for (let row = trace.first; row >= 0; row = next[row]!) {
    state[row] = 0
    marks[row] = marks[row]! & ~RELATIVE
    if (columns.startAfter(row, origin) < 0) origin = row
    if ((marks[row]! & (Mark.error | Mark.closed)) !== 0) trace.errors++
    threads.add(lane[row]!)
    const high = columns.parentHigh[row]!
    const low = columns.parentLow[row]!
    const parent = high === 0 && low === 0 ? ROOT : index.find(trace.slot, high, low)
    if (parent === -1 && (high !== 0 || low !== 0)) {
      up[row] = MISSING
      trace.orphans++
      marks[row] = marks[row]! | Mark.orphan
    } else up[row] = parent
  }
  markCycles(trace, columns)
  const transactions: number[] = []
  let root = -1
  for (let row = trace.first; row >= 0; row = next[row]!) {
    end = Math.max(end, columns.startAfter(row, origin) + columns.duration(row))
    if (isTransaction(row, columns, lanes)) {
      marks[row] = marks[row]! | Mark.transaction
      transactions.push(row)
    }
    if (up[row]! < 0 && (root < 0 || precedes(row, root, columns))) root = row
  }
  for (const id of threads) processes.add(lanes.of(id).process)
  trace.origin = origin
  trace.root = root < 0 ? origin : root
  trace.duration = end
  trace.threads = threads.size
  trace.processes = processes.size
  trace.transactions = transactions
  trace.workers = [...threads].some((id) => isWorker(lanes, id)) ? workersOf(trace, columns, lanes) : NONE
  trace.settled = true
}

/** A real root stands for the trace before an orphan does, and of equals the earlier one. */
function precedes(row: number, other: number, columns: Columns): boolean {
  const { up } = columns
  if (up[row] !== up[other]) return up[row] === ROOT
  return columns.startAfter(row, other) < 0
}

function isTransaction(row: number, columns: Columns, lanes: Lanes): boolean {
  const parent = columns.up[row]!
  const kind = columns.kind[row]!
  if (parent === ROOT || kind === SERVER || kind === CONSUMER) return true
  if ((columns.marks[row]! & Mark.remoteParent) !== 0) return true
  if (parent === MISSING || columns.lane[row] === columns.lane[parent]) return false
  return lanes.of(columns.lane[row]!).process !== lanes.of(columns.lane[parent]!).process
}

function isWorker(lanes: Lanes, lane: number): boolean {
  const { id } = lanes.lanes.value(lane)
  return id !== null && id !== 0
}

function workersOf(trace: Trace, columns: Columns, lanes: Lanes): number[] {
  const pairs: number[] = []
  const ownersOf = new Map<number, Set<number> | null>()
  const known = new Map<number, number>()
  for (let row = trace.first; row >= 0; row = columns.next[row]!) {
    const lane = columns.lane[row]!
    let owners = ownersOf.get(lane)
    if (owners === undefined) {
      owners = isWorker(lanes, lane) ? new Set() : null
      ownersOf.set(lane, owners)
    }
    if (owners === null) continue
    const owner = transactionOf(row, columns, known)
    if (owner < 0 || owners.has(owner)) continue
    owners.add(owner)
    pairs.push(owner, lane)
  }
  return pairs
}

/**
 * The transaction that a span belongs to once its trace's are marked: itself or its nearest ancestor that is one, or -1.
 * @param known Where the ways of others through the same trace have led, so that each is gone once.
 */
export function transactionOf(row: number, { up, marks }: Columns, known?: Map<number, number>): number {
  let at = row
  while (at >= 0 && (marks[at]! & Mark.transaction) === 0) {
    const led = known?.get(at)
    if (led !== undefined || (marks[at]! & Mark.cycle) !== 0) {
      at = led ?? -1
      break
    }
    at = up[at]!
  }
  const found = Math.max(-1, at)
  if (known === undefined) return found
  for (at = row; at >= 0 && at !== found && !known.has(at) && up[at] !== found; at = up[at]!) {
    known.set(at, found)
    if ((marks[at]! & Mark.cycle) !== 0) break
  }
  return found
}

/** Follows each span to its root once; who is met again on the same way is in a cycle. */
function markCycles(trace: Trace, columns: Columns): void {
  const { next, up, state, marks } = columns
  for (let start = trace.first; start >= 0; start = next[start]!) {
    let row = start
    while (row >= 0 && state[row] === 0) {
      state[row] = 1
      row = up[row]!
    }
    if (row >= 0 && state[row] === 1) {
      const entry = row
      do {
        marks[row] = marks[row]! | Mark.cycle
        row = up[row]!
      } while (row !== entry)
    }
    for (row = start; row >= 0 && state[row] === 1; row = up[row]!) state[row] = 2
  }
}
