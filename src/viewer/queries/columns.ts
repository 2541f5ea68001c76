import type { TraceColumns } from '../api.js'
import { Mark } from '../store/columns.js'
import type { Lane, Origin } from '../store/lanes.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { plainAttributes } from './plain.js'

/** Most spans of one trace that are sent to the page. */
const MAX_SPANS = 200_000

/** Longest label, characters. */
const MAX_LABEL = 200

const API_MARKS = Mark.error | Mark.orphan | Mark.closed | Mark.cycle | Mark.exception | Mark.transaction

/** `GET /api/trace/:traceId`: a settled trace in columns, by start; the earliest 200,000 spans of a larger one. */
export function traceColumns(store: Store, trace: Trace): TraceColumns {
  const { columns, names } = store
  const { origin } = trace
  const rows = shownRows(store, trace)
  const strings = new Strings()
  const lanes = new LaneTable(store)
  const nameIndexes: number[] = []
  // By row: where the span is in the answer. As large as the store, and still cheaper than a map of a large trace.
  const place = new Int32Array(columns.capacity).fill(-2)
  for (const [i, row] of rows.entries()) place[row] = i
  const result: TraceColumns = {
    traceId: trace.id,
    origin: columns.start(origin),
    strings: strings.values,
    processes: lanes.processes,
    threads: lanes.threads,
    id: [],
    parent: [],
    name: [],
    kind: [],
    start: [],
    end: [],
    thread: [],
    flags: [],
    label: [],
    wait: [],
    links: [],
    truncated: trace.spans - rows.length,
  }
  for (const [i, row] of rows.entries()) {
    const start = columns.startAfter(row, origin)
    const { bytes, scan } = store.scan(row)
    const up = columns.up[row]!
    result.id.push(bytes.toString('hex', scan.spanAt, scan.spanAt + 8))
    // A parent that is cut off is as good as missing to the page.
    result.parent.push(up < 0 ? up : place[up]!)
    const name = columns.name[row]!
    nameIndexes[name] ??= strings.index(names.value(name))
    result.name.push(nameIndexes[name])
    result.kind.push(columns.kind[row]!)
    result.start.push(start)
    result.end.push(Math.max(start, columns.endAfter(row, origin)))
    result.thread.push(lanes.index(columns.lane[row]!))
    result.flags.push(columns.marks[row]! & API_MARKS)
    result.label.push(
      scan.labelKey === 0
        ? -1
        : strings.index(bytes.toString('utf8', scan.labelAt, scan.labelEnd).slice(0, MAX_LABEL)),
    )
    result.wait.push(Number.isFinite(scan.wait) ? Math.max(0, scan.wait) : 0)
    if ((columns.marks[row]! & Mark.links) !== 0) addLinks(store, trace, row, i, place, result.links)
  }
  return result
}

/** The rows of the spans that the page has, in its order. */
export function shownRows(store: Store, trace: Trace): number[] {
  return byStart(store, trace).slice(0, MAX_SPANS)
}

/** The rows of a trace by start; of those that start together, the longer ones first: parents before children. */
export function byStart(store: Store, trace: Trace): number[] {
  const { columns } = store
  const rows = [...store.rows(trace)]
  const starts = Float64Array.from(rows, (row) => columns.startAfter(row, trace.origin))
  const order = Uint32Array.from(rows.keys())
  order.sort((a, b) => starts[a]! - starts[b]! || columns.duration(rows[b]!) - columns.duration(rows[a]!))
  return Array.from(order, (i) => rows[i]!)
}

/** An arrow points from what was linked to, which came first, to the span with the link. */
function addLinks(
  store: Store,
  trace: Trace,
  row: number,
  index: number,
  place: Int32Array,
  into: [number, number][],
): void {
  for (const { traceId, spanId } of store.decode(row).links) {
    if (traceId !== trace.id || spanId.length !== 16) continue
    const linked = store.find(trace, spanId)
    if (linked >= 0 && place[linked]! >= 0) into.push([place[linked]!, index])
  }
}

class Strings {
  readonly values: string[] = []
  readonly #indexes = new Map<string, number>()

  index(text: string): number {
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    this.#indexes.set(text, this.values.length)
    this.values.push(text)
    return this.values.length - 1
  }
}

/** The processes and threads of one trace, numbered as they appear. */
class LaneTable {
  readonly processes: TraceColumns['processes'] = []
  readonly threads: TraceColumns['threads'] = []
  readonly #processes = new Map<string, number>()
  /** By the store's number of the lane. */
  readonly #lanes: (number | undefined)[] = []
  readonly #threads = new Map<string, number>()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  index(lane: number): number {
    const known = this.#lanes[lane]
    if (known !== undefined) return known
    const entry = this.#store.lanes.lanes.value(lane)
    const process = this.#process(this.#store.lanes.of(lane))
    // Two resources of one process have lanes of their own in the store, and one on the page.
    const key = `${process} ${entry.id} ${entry.name}`
    let index = this.#threads.get(key)
    if (index === undefined) {
      index = this.threads.length
      this.threads.push({ label: threadLabel(entry), process, id: entry.id })
      this.#threads.set(key, index)
    }
    this.#lanes[lane] = index
    return index
  }

  #process(origin: Origin): number {
    const known = this.#processes.get(origin.process)
    if (known !== undefined) return known
    const { service, pid, resource } = origin
    const label = pid === null ? service : `${service} · ${pid}`
    this.#processes.set(origin.process, this.processes.length)
    this.processes.push({ label, service, pid, resource: plainAttributes(resource.attributes) })
    return this.processes.length - 1
  }
}

/** What a thread is called: its name, else its number, else nothing is known of threads and there is one lane. */
export function threadLabel({ id, name }: Lane): string {
  if (name !== '') return id === null || id === 0 ? name : `${name} (${id})`
  return id === null ? 'process' : id === 0 ? 'main' : `thread ${id}`
}
