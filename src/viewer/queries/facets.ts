import type { Facets } from '../api.js'
import type { Logs } from '../store/logs.js'
import type { Metrics } from '../store/metrics.js'
import type { Store } from '../store/store.js'

/** Most values of one kind that are offered: a menu of more is no help. */
const MOST = 500

/** `GET /api/facets` */
export function facets(store: Store, metrics: Metrics, logs: Logs): Facets {
  store.settle()
  const services = new Set<string>()
  const environments = new Set<string>()
  const hosts = new Set<string>()
  const add = ({ service, environment, host }: { service: string; environment?: string; host: string }) => {
    services.add(service)
    environments.add(environment ?? '')
    hosts.add(host)
  }
  for (const origin of store.lanes.origins.values()) add(origin)
  for (const { series } of metrics.byName.values()) for (const one of series.values()) add(one)
  for (const { origin } of logs.all()) add(origin)
  const codes = new Uint8Array(1000)
  const { http } = store.columns
  for (const trace of store.traces.values()) for (const row of trace.transactions) codes[http[row]!] = 1
  const statuses = [...codes.keys()].filter((code) => code > 0 && codes[code] === 1).map(String)
  return {
    services: sorted(services),
    environments: sorted(environments),
    hosts: sorted(hosts),
    statuses,
  }
}

function sorted(values: ReadonlySet<string>): string[] {
  return [...values]
    .filter((value) => value !== '')
    .sort()
    .slice(0, MOST)
}
