import type { Filter, ProcessRow } from '../api.js'
import type { Metrics } from '../store/metrics.js'
import type { Store } from '../store/store.js'
import { isFrom } from './metrics.js'
import { byFields, type Paged, paged } from './paging.js'
import { latency, select, timeRange } from './selection.js'
import { groupBy } from './transactions.js'

/** Most threads that are told of one process, and characters of what is told of it. */
const MAX_THREADS = 1000
const MAX_TEXT = 200

/** What is known of a process from whatever it has sent. */
type Known = Pick<ProcessRow, 'process' | 'service' | 'host' | 'pid' | 'runtime' | 'version' | 'metrics'> & {
  readonly threads: Map<string, string>
}

/** `GET /api/processes`: the busiest first unless sorted. */
export function processes(store: Store, metrics: Metrics, filter: Filter): Paged<ProcessRow> {
  return paged(rowsOf(store, metrics, filter), filter, {
    by: {
      ...byFields('count', 'throughput', 'mean', 'p50', 'p95', 'p99', 'errors'),
      ...byFields('service', 'host', 'pid', 'runtime', 'metrics'),
      threads: (row: ProcessRow) => row.threads.length,
    },
    otherwise: 'count',
    limit: 1000,
    most: 1000,
  })
}

/** `GET /api/processes/:process`; undefined where nothing of it is here. */
export function processDetail(
  store: Store,
  metrics: Metrics,
  process: string,
  filter: Filter,
): ProcessRow | undefined {
  return rowsOf(store, metrics, { ...filter, process }).find((row) => row.process === process)
}

function rowsOf(store: Store, metrics: Metrics, filter: Filter): ProcessRow[] {
  const rows = select(store, filter)
  const time = timeRange(store, filter)
  const groups = groupBy(rows, (row) => store.lanes.of(store.columns.lane[row]!).processKey)
  return [...knownOf(store, metrics, filter).values()].map(({ threads, ...known }) => ({
    ...known,
    ...latency(store, groups.get(known.process) ?? [], time),
    threads: [...threads].map(([id, name]) => ({ id, name })).sort((a, b) => Number(a.id) - Number(b.id)),
  }))
}

/** Those that the filter's service, host and so on pick, with their threads, whether or not they had a transaction in its time. */
function knownOf(store: Store, metrics: Metrics, filter: Filter): Map<string, Known> {
  const found = new Map<string, Known>()
  const { service, host, environment, process } = filter
  const note = (key: string, of: string, on: string, attribute: (name: string) => string): Known => {
    const before = found.get(key)
    if (before !== undefined) return before
    const runtime = attribute('process.runtime.name') || attribute('telemetry.sdk.language')
    const known: Known = {
      process: key,
      service: of,
      host: on,
      pid: attribute('process.pid'),
      runtime: `${runtime} ${attribute('process.runtime.version')}`.trim(),
      version: attribute('service.version'),
      metrics: 0,
      threads: new Map(),
    }
    found.set(key, known)
    return known
  }
  for (const { origin: number, id, name } of store.lanes.lanes.values()) {
    const origin = store.lanes.origins.value(number)
    const { processKey } = origin
    if (processKey === '' || (process !== undefined && processKey !== process)) continue
    if (service !== undefined && origin.service !== service) continue
    if (host !== undefined && origin.host !== host) continue
    if (environment !== undefined && origin.environment !== environment) continue
    const { attributes } = origin.resource
    const known = note(processKey, origin.service, origin.host, (key) =>
      String(attributes[key] ?? '').slice(0, MAX_TEXT),
    )
    addThread(known, id === null ? '' : String(id), name)
  }
  for (const { series } of metrics.byName.values()) {
    for (const one of series.values()) {
      if (one.process === '' || !isFrom(one, filter)) continue
      const known = note(one.process, one.service, one.host, (key) => one.origin.get(key) ?? '')
      known.metrics++
      addThread(known, one.thread, one.threadName)
    }
  }
  return found
}

function addThread({ threads }: Known, id: string, name: string): void {
  if (id === '' || (threads.size === MAX_THREADS && !threads.has(id))) return
  if (name !== '' || !threads.has(id)) threads.set(id, name)
}
