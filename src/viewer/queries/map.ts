import type { Filter, MapEdge, ServiceMap } from '../api.js'
import type { Store } from '../store/store.js'
import { plainText } from './plain.js'
import { percentile, select, selectTraces } from './selection.js'
import { isError } from './status-text.js'

/** Most nodes and edges of a map, those with most calls first: more cannot be read. */
const MAX_NODES = 100
const MAX_EDGES = 300

const CLIENT = 3
const PRODUCER = 4
const CONSUMER = 5

interface Calls {
  from: string
  to: string
  durations: number[]
  errors: number
}

/** `GET /api/map`: who calls whom in the traces that the filter picks, databases and queues among them. */
export function serviceMap(store: Store, filter: Filter): ServiceMap {
  const { columns, lanes } = store
  const nodes = new Map<string, ServiceMap['nodes'][number]>()
  const calls = new Map<string, Calls>()
  const targets = new Targets(store)
  const node = (name: string, kind: 'service' | 'database' | 'queue'): string => {
    const id = kind === 'service' ? name : `${kind} ${name}`
    if (!nodes.has(id)) nodes.set(id, { id, name, kind, calls: 0 })
    return id
  }
  const add = (from: string, to: string, row: number): void => {
    const key = `${from}\n${to}`
    const known = calls.get(key) ?? { from, to, durations: [], errors: 0 }
    known.durations.push(columns.duration(row))
    if (isError(store, row)) known.errors++
    calls.set(key, known)
  }
  for (const trace of selectTraces(store, filter)) {
    for (const row of store.rows(trace)) {
      const own = node(lanes.of(columns.lane[row]!).service, 'service')
      const kind = columns.kind[row]!
      const parent = columns.up[row]!
      const caller = parent < 0 ? own : node(lanes.of(columns.lane[parent]!).service, 'service')
      if (kind === CLIENT || kind === PRODUCER || kind === CONSUMER) {
        const target = targets.of(row)
        if (target !== undefined) {
          const other = node(target.name, target.kind)
          if (kind === CONSUMER) add(other, own, row)
          else add(own, other, row)
          // A message goes by way of its queue.
          continue
        }
      }
      if (caller !== own) add(caller, own, row)
    }
  }
  const { minutes } = select(store, filter, true)
  for (const { from, to, durations } of calls.values()) {
    nodes.get(from)!.calls += durations.length
    nodes.get(to)!.calls += durations.length
  }
  const shown = [...nodes.values()].sort((a, b) => b.calls - a.calls).slice(0, MAX_NODES)
  const ids = new Set(shown.map(({ id }) => id))
  const edges = [...calls.values()]
    .filter(({ from, to }) => ids.has(from) && ids.has(to))
    .sort((a, b) => b.durations.length - a.durations.length)
    .slice(0, MAX_EDGES)
  return { nodes: shown, edges: edges.map((edge) => edgeOf(edge, minutes)), left: nodes.size - shown.length }
}

function edgeOf({ from, to, durations, errors }: Calls, minutes: number): MapEdge {
  const sorted = Float64Array.from(durations).sort()
  let sum = 0
  for (const duration of sorted) sum += duration
  return {
    from,
    to,
    count: sorted.length,
    errors,
    throughput: sorted.length / minutes,
    mean: sum / sorted.length,
    p95: percentile(sorted, 0.95),
  }
}

interface Target {
  readonly name: string
  readonly kind: 'database' | 'queue'
}

/** What a span calls that is no service. Spans of one name, kind and sender call the same: one of them is decoded. */
class Targets {
  readonly #known = new Map<string, Target | undefined>()

  constructor(readonly store: Store) {}

  of(row: number): Target | undefined {
    const { columns, lanes } = this.store
    const key = `${columns.name[row]} ${columns.kind[row]} ${lanes.lanes.value(columns.lane[row]!).origin}`
    if (this.#known.has(key)) return this.#known.get(key)
    const { attributes } = this.store.decode(row)
    const text = (...names: string[]): string => {
      const name = names.find((each) => Object.hasOwn(attributes, each))
      return name === undefined ? '' : plainText(attributes[name]).slice(0, 100)
    }
    const database = text('db.system.name', 'db.system')
    const queue = text('messaging.system')
    const about = database === '' ? text('messaging.destination.name') : text('db.namespace', 'db.name')
    const system = database || queue
    const target: Target | undefined =
      system === ''
        ? undefined
        : { name: about === '' ? system : `${system} ${about}`, kind: database === '' ? 'queue' : 'database' }
    this.#known.set(key, target)
    return target
  }
}
