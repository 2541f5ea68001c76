import type { Filter, MapEdge, ServiceMap } from '../api.js'
import type { Store } from '../store/store.js'
import { plainText } from './plain.js'
import { percentile, perMinute, selectTraces, type TimeRange, timeRange } from './selection.js'
import { isError } from './status-text.js'

/** Most nodes and edges of a map, those with most calls first: more cannot be read. */
const MAX_NODES = 100
const MAX_EDGES = 300

const CLIENT = 3
const PRODUCER = 4
const CONSUMER = 5

interface Calls {
  /** Numbers of nodes. */
  from: number
  to: number
  durations: number[]
  errors: number
}

/** `GET /api/map`: who calls whom in the traces that the filter picks, databases and queues among them. */
export function serviceMap(store: Store, filter: Filter): ServiceMap {
  const { columns, lanes } = store
  const nodes: ServiceMap['nodes'] = []
  const numbers = new Map<string, number>()
  const node = (name: string, kind: 'service' | 'database' | 'queue'): number => {
    const id = kind === 'service' ? name : `${kind} ${name}`
    let number = numbers.get(id)
    if (number === undefined) {
      number = nodes.length
      numbers.set(id, number)
      nodes.push({ id, name, kind, calls: 0 })
    }
    return number
  }
  // Ten million spans are walked over: what is the same for many is asked for once.
  const services: number[] = []
  const serviceOf = (row: number): number => {
    const lane = columns.lane[row]!
    services[lane] ??= node(lanes.of(lane).service, 'service')
    return services[lane]
  }
  const targets = new Targets(store, node)
  const calls: Calls[] = []
  const byFrom: Map<number, Calls>[] = []
  const add = (from: number, to: number, row: number): void => {
    byFrom[from] ??= new Map()
    let known = byFrom[from].get(to)
    if (known === undefined) {
      known = { from, to, durations: [], errors: 0 }
      byFrom[from].set(to, known)
      calls.push(known)
    }
    known.durations.push(columns.duration(row))
    if (isError(store, row)) known.errors++
  }
  for (const trace of selectTraces(store, filter)) {
    for (let row = trace.first; row >= 0; row = columns.next[row]!) {
      const own = serviceOf(row)
      const kind = columns.kind[row]!
      const parent = columns.up[row]!
      const caller = parent < 0 ? own : serviceOf(parent)
      if (kind === CLIENT || kind === PRODUCER || kind === CONSUMER) {
        const other = targets.of(row)
        if (other >= 0) {
          if (kind === CONSUMER) add(other, own, row)
          else add(own, other, row)
          // A message goes by way of its queue.
          continue
        }
      }
      if (caller !== own) add(caller, own, row)
    }
  }
  for (const { from, to, durations } of calls) {
    nodes[from]!.calls += durations.length
    nodes[to]!.calls += durations.length
  }
  const time = timeRange(store, filter)
  const shown = [...nodes].sort((a, b) => b.calls - a.calls).slice(0, MAX_NODES)
  const kept = new Set(shown)
  const edges = calls
    .filter(({ from, to }) => kept.has(nodes[from]!) && kept.has(nodes[to]!))
    .sort((a, b) => b.durations.length - a.durations.length)
    .slice(0, MAX_EDGES)
  return {
    nodes: shown,
    edges: edges.map((edge) => edgeOf(edge, nodes, time)),
    left: nodes.length - shown.length,
  }
}

function edgeOf(
  { from, to, durations, errors }: Calls,
  nodes: ServiceMap['nodes'],
  time: TimeRange,
): MapEdge {
  const sorted = Float64Array.from(durations).sort()
  let sum = 0
  for (const duration of sorted) sum += duration
  return {
    from: nodes[from]!.id,
    to: nodes[to]!.id,
    count: sorted.length,
    errors,
    throughput: perMinute(sorted.length, time),
    mean: sum / sorted.length,
    p95: percentile(sorted, 0.95),
  }
}

/** What a span calls that is no service. Spans of one name, kind and sender call the same: one of them is decoded. */
class Targets {
  /** By sender, then by name and kind: the number of a node, or -1. */
  readonly #known: Map<number, number>[] = []

  constructor(
    readonly store: Store,
    readonly node: (name: string, kind: 'database' | 'queue') => number,
  ) {}

  of(row: number): number {
    const { columns, lanes } = this.store
    const { origin } = lanes.lanes.value(columns.lane[row]!)
    this.#known[origin] ??= new Map()
    const key = columns.name[row]! * 8 + columns.kind[row]!
    let target = this.#known[origin].get(key)
    if (target === undefined) {
      target = this.#read(row)
      this.#known[origin].set(key, target)
    }
    return target
  }

  #read(row: number): number {
    const { attributes } = this.store.decode(row)
    const text = (...names: string[]): string => {
      const name = names.find((each) => Object.hasOwn(attributes, each))
      return name === undefined ? '' : plainText(attributes[name]).slice(0, 100)
    }
    const database = text('db.system.name', 'db.system')
    const queue = text('messaging.system')
    const about = database === '' ? text('messaging.destination.name') : text('db.namespace', 'db.name')
    const system = database || queue
    if (system === '') return -1
    return this.node(about === '' ? system : `${system} ${about}`, database === '' ? 'queue' : 'database')
  }
}
