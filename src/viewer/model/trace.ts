import type { TraceColumns } from '../api.js'
import { growTree, type Tree } from './tree.js'

/** Bits of `Trace.flags`, as the server sends them in `TraceColumns.flags`. */
export const ERROR = 1
export const ORPHAN = 2
export const CLOSED = 4
export const CYCLE = 8
export const EXCEPTION = 16
export const TRANSACTION = 32

/**
 * One trace, ready to be drawn: columns as typed arrays (index i of every column is span i, sorted by start, and longer
 * spans first where the start is the same) and the tree over them. Times are milliseconds relative to `origin`.
 */
export interface Trace {
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly origin: number
  readonly size: number
  readonly strings: readonly string[]
  readonly processes: TraceColumns['processes']
  readonly threads: TraceColumns['threads']
  readonly ids: readonly string[]
  readonly name: Int32Array
  readonly kind: Uint8Array
  readonly start: Float64Array
  /** Never before `start`. */
  readonly end: Float64Array
  readonly thread: Int32Array
  readonly flags: Uint8Array
  readonly label: Int32Array
  readonly wait: Float64Array
  readonly links: readonly (readonly [number, number])[]
  readonly tree: Tree
  /** Earliest begin (queue waits included) and latest end. */
  readonly from: number
  readonly to: number
  /** Spans that the server left out. */
  readonly truncated: number
}

/**
 * Reads what the server sent. Whatever is out of range is made harmless: an end before its start becomes a span of no
 * length, a parent that is not in the list an orphan, a cycle of parents is cut at its earliest span.
 */
export function readTrace(columns: TraceColumns): Trace {
  const size = columns.id.length
  const rank = order(columns)
  const place = new Int32Array(size)
  for (let i = 0; i < size; i++) place[rank[i]!] = i

  const start = new Float64Array(size)
  const end = new Float64Array(size)
  const wait = new Float64Array(size)
  const parent = new Int32Array(size)
  const name = new Int32Array(size)
  const label = new Int32Array(size)
  const kind = new Uint8Array(size)
  const thread = new Int32Array(size)
  const flags = new Uint8Array(size)
  const ids = new Array<string>(size)
  const threads = columns.threads.length > 0 ? columns.threads : [{ label: 'unknown', process: 0, id: null }]
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY

  for (let i = 0; i < size; i++) {
    const row = rank[i]!
    ids[i] = columns.id[row]!
    start[i] = finite(columns.start[row])
    end[i] = Math.max(start[i]!, finite(columns.end[row]))
    wait[i] = Math.max(0, finite(columns.wait[row]))
    name[i] = columns.name[row] ?? -1
    label[i] = columns.label[row] ?? -1
    kind[i] = columns.kind[row] ?? 0
    thread[i] = within(columns.thread[row], threads.length)
    flags[i] = columns.flags[row] ?? 0
    const above = columns.parent[row] ?? -1
    if (above >= 0 && above < size) parent[i] = place[above]!
    else {
      parent[i] = above === -1 ? -1 : -2
      if (above !== -1) flags[i]! |= ORPHAN
    }
    from = Math.min(from, start[i]! - wait[i]!)
    to = Math.max(to, end[i]!)
  }

  const tree = growTree(parent)
  for (const span of tree.cyclic) flags[span]! |= CYCLE
  const links = columns.links
    .filter(([a, b]) => a >= 0 && b >= 0 && a < size && b < size)
    .map(([a, b]) => [place[a]!, place[b]!] as const)

  return {
    id: columns.traceId,
    origin: columns.origin,
    size,
    strings: columns.strings,
    processes: columns.processes,
    threads,
    ids,
    name,
    kind,
    start,
    end,
    thread,
    flags,
    label,
    wait,
    links,
    tree,
    from: size === 0 ? 0 : from,
    to: size === 0 ? 0 : to,
    truncated: columns.truncated,
  }
}

/** The name of a span; a placeholder when it has none, so that a row is never blank. */
export function nameOf(trace: Trace, span: number): string {
  return trace.strings[trace.name[span]!] || '(unnamed)'
}

/** The short text that tells a span from its siblings of the same name, or the empty string. */
export function labelOf(trace: Trace, span: number): string {
  const text = trace.strings[trace.label[span]!] ?? ''
  return text === trace.strings[trace.name[span]!] ? '' : text
}

/** The service that made a span, or the empty string. */
export function serviceOf(trace: Trace, span: number): string {
  return trace.processes[trace.threads[trace.thread[span]!]?.process ?? -1]?.service ?? ''
}

function order(columns: TraceColumns): Uint32Array | number[] {
  const { start, end } = columns
  const size = columns.id.length
  const rank = new Uint32Array(size)
  let sorted = true
  for (let i = 0; i < size; i++) {
    rank[i] = i
    if (i > 0 && !(start[i - 1]! < start[i]! || (start[i - 1] === start[i] && end[i - 1]! >= end[i]!)))
      sorted = false
  }
  if (sorted) return rank
  return rank.sort((a, b) => finite(start[a]) - finite(start[b]) || finite(end[b]) - finite(end[a]) || a - b)
}

function finite(value: number | undefined): number {
  return Number.isFinite(value) ? (value as number) : 0
}

function within(value: number | undefined, length: number): number {
  return value !== undefined && value >= 0 && value < length ? value : 0
}
