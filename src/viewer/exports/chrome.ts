import { threadLabel } from '../queries/columns.js'
import { plainAttributes } from '../queries/plain.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { ChromeRows } from './chrome-rows.js'
import type { Pieces } from './format.js'
import { nanosOf, rowsByStart } from './rows.js'

type Event = Record<string, unknown>

/** A thread of a process, as one or more tracks. */
interface Thread {
  pid: number
  label: string
  /** Its place among the threads of its process. */
  order: number
  rows: ChromeRows
  /** The `tid` of each track. */
  tids: number[]
}

/** Tracks that a thread may take before the next thread's: what Perfetto and Chrome sort by. */
const MOST_TRACKS = 10_000

/**
 * Traces in the Trace Event Format, for Perfetto and `chrome://tracing`. Every thread is a track of its process, and has further ones
 * where its spans overlap without being below one another (see `ChromeRows`). A flow leads from a span to each below it on another thread,
 * from when it was submitted.
 */
export function* chromeExport(store: Store, traces: readonly Trace[]): Pieces {
  const { columns, names } = store
  const tracks = new Tracks(store)
  const { rows, origin } = rowsByStart(store, traces)
  const tids = new Uint32Array(columns.capacity)
  const wanted = new Set<Trace | undefined>(traces)
  let separator = ''
  yield '{"displayTimeUnit":"ns","traceEvents":[\n'
  for (const row of rows) {
    // Others may have come between two pieces, for which a trace had to leave.
    if (!wanted.has(store.traceOf(row))) continue
    const { start, end } = nanosOf(store, row, origin)
    const lane = columns.lane[row]!
    const up = columns.up[row]!
    const { pid, tid } = tracks.take(row, lane, up, start, end)
    tids[row] = tid
    const args = { ...plainAttributes(store.decode(row).attributes), 'span.id': columns.spanId(row) }
    const at = { pid, tid, ts: start / 1000 }
    const name = names.value(columns.name[row]!)
    const events: Event[] = tracks.takeNames()
    events.push({ cat: 'span', ...at, ph: 'X', name, dur: (end - start) / 1000, args })
    if (up >= 0 && columns.lane[up] !== lane && tids[up] !== 0) {
      const from = nanosOf(store, up, origin)
      const wait = Math.max(0, store.scan(row).scan.wait) * 1e6
      const submitted = Math.round(Math.min(from.end, Math.max(from.start, start - wait)))
      const flow = { cat: 'flow', name: 'submitted', id: columns.spanId(row) }
      const above = { pid: tracks.pidOf(columns.lane[up]!), tid: tids[up]!, ts: submitted / 1000 }
      events.push({ ...flow, ph: 's', ...above }, { ...flow, ph: 'f', bp: 'e', ...at })
    }
    yield separator + events.map((event) => JSON.stringify(event)).join(',\n')
    separator = ',\n'
  }
  yield '\n]}\n'
}

/** Processes and tracks, numbered as they appear. */
class Tracks {
  readonly #processes = new Map<string, number>()
  readonly #threads = new Map<string, Thread>()
  /** By the store's number of the lane. */
  readonly #lanes = new Map<number, Thread>()
  #tids = 0
  #names: Event[] = []

  constructor(private readonly store: Store) {}

  take(row: number, lane: number, up: number, start: number, end: number): { pid: number; tid: number } {
    const thread = this.#lanes.get(lane) ?? this.#thread(lane)
    const { index } = thread.rows.take(row, up, start, end)
    thread.tids[index] ??= this.#name(thread, index)
    return { pid: thread.pid, tid: thread.tids[index] }
  }

  pidOf(lane: number): number {
    return this.#lanes.get(lane)!.pid
  }

  /** The metadata events of what has appeared since the last call. */
  takeNames(): Event[] {
    return this.#names.splice(0)
  }

  #thread(lane: number): Thread {
    const { lanes } = this.store
    const origin = lanes.of(lane)
    const entry = lanes.lanes.value(lane)
    const pid = this.#processes.get(origin.process) ?? this.#process(origin)
    // Two resources of one process have lanes of their own in the store, and one here.
    const key = `${pid} ${entry.id} ${entry.name}`
    let thread = this.#threads.get(key)
    if (thread === undefined) {
      const order = entry.id ?? this.#threads.size
      thread = { pid, label: threadLabel(entry), order, rows: new ChromeRows(), tids: [] }
      this.#threads.set(key, thread)
    }
    this.#lanes.set(lane, thread)
    return thread
  }

  #process({ process, service, pid }: { process: string; service: string; pid: number | null }): number {
    const number = this.#processes.size + 1
    this.#processes.set(process, number)
    const name = pid === null ? service : `${service} ${pid}`
    this.#names.push({ ph: 'M', name: 'process_name', pid: number, tid: 0, args: { name } })
    return number
  }

  #name({ pid, label, order }: Thread, index: number): number {
    const tid = ++this.#tids
    const name = index === 0 ? label : `${label} · ${index + 1}`
    const place = order * MOST_TRACKS + Math.min(index, MOST_TRACKS - 1)
    this.#names.push(
      { ph: 'M', name: 'thread_name', pid, tid, args: { name } },
      { ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: place } },
    )
    return tid
  }
}
