import type { Filter, MetricRow, MetricSeries } from '../api.js'
import type { MetricEntry, Metrics, TimeSeries } from '../store/metrics.js'
import { groupBy } from './transactions.js'

/** Most lines in one chart: more cannot be told apart. */
const MAX_LINES = 60

/** `GET /api/metrics`, by name: those of the service, host, process and thread that the filter names. */
export function metricRows(metrics: Metrics, filter: Filter): MetricRow[] {
  return [...metrics.byName.values()]
    .map(({ name, unit, description, kind, series }) => {
      const chosen = [...series.values()].filter((one) => isFrom(one, filter))
      const services = [...new Set(chosen.map(({ service }) => service))]
      return { name, unit, description, kind, services, series: chosen.length }
    })
    .filter((row) => row.series > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a filter picks a stream. */
export function isFrom({ service, host, process, thread, origin }: TimeSeries, filter: Filter): boolean {
  if (filter.process !== undefined && process !== filter.process) return false
  if (filter.thread !== undefined && thread !== filter.thread) return false
  if (filter.service !== undefined && service !== filter.service) return false
  if (filter.host !== undefined && host !== filter.host) return false
  if (filter.environment === undefined) return true
  const environment = origin.get('deployment.environment.name') ?? origin.get('deployment.environment')
  return environment === filter.environment
}

/** `GET /api/metrics/:name`: all lines on one axis of time, which holds every time that any of them has. */
export function metricSeries(entry: MetricEntry, filter: Filter): MetricSeries {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  const chosen = [...entry.series.values()].filter((one) => isFrom(one, filter))
  const several = new Set(chosen.map(({ service }) => service)).size > 1
  const origins = differences(chosen)
  const shared = sharedBy(chosen)
  const lines = chosen
    .flatMap((series) =>
      [...series.lines].map(([line, values]) => ({
        label: [line, several ? series.service : '', origins.get(series) ?? '', without(series, shared)]
          .filter((part) => part !== '')
          .join(' · '),
        times: series.times,
        values,
      })),
    )
    .slice(0, MAX_LINES)
  const times = [...new Set(lines.flatMap((line) => line.times))]
    .filter((time) => time >= from && time <= to)
    .sort((a, b) => a - b)
  const index = new Map(times.map((time, i) => [time, i]))
  return {
    name: entry.name,
    unit: unitOf(entry),
    kind: entry.kind,
    shared: shared.join(', '),
    times,
    lines: lines.map((line) => {
      const values: (number | null)[] = times.map(() => null)
      line.times.forEach((time, i) => {
        const at = index.get(time)
        if (at !== undefined && Number.isFinite(line.values[i])) values[at] = line.values[i]!
      })
      return { label: line.label === '' ? entry.name : line.label, values }
    }),
  }
}

/** Attributes that all of several series have. */
function sharedBy(all: readonly TimeSeries[]): string[] {
  const [first, ...others] = all
  if (first === undefined || others.length === 0) return []
  return first.attributes.filter((each) => others.every(({ attributes }) => attributes.includes(each)))
}

function without({ attributes }: TimeSeries, shared: readonly string[]): string {
  return attributes.filter((each) => !shared.includes(each)).join(', ')
}

/** Says most about where a series comes from, in this order. */
const TELLING = [
  'host.name',
  'k8s.pod.name',
  'container.id',
  'service.instance.id',
  'service.version',
  'process.pid',
  'scope',
]

/**
 * What tells series apart whose service and attributes are the same: of what differs among them as little as does it, the most
 * telling first.
 */
function differences(all: readonly TimeSeries[]): Map<TimeSeries, string> {
  const told = new Map<TimeSeries, string>()
  for (const alike of groupBy(all, ({ service, label }) => `${service}\n${label}`).values()) {
    if (alike.length === 1) continue
    const keys = [...new Set(alike.flatMap(({ origin }) => [...origin.keys()]))].filter(
      (key) => new Set(alike.map(({ origin }) => origin.get(key))).size > 1,
    )
    keys.sort((a, b) => rank(a) - rank(b))
    const used: string[] = []
    const words = (series: TimeSeries) =>
      used
        .map((key) =>
          key === 'kind' || key === 'unit'
            ? series.origin.get(key)!
            : `${key}=${series.origin.get(key) ?? ''}`,
        )
        .join(', ')
    let apart = 1
    for (const key of keys) {
      used.push(key)
      const now = new Set(alike.map(words)).size
      if (now === apart) used.pop()
      apart = now
      if (apart === alike.length) break
    }
    for (const series of alike) told.set(series, words(series))
  }
  return told
}

function rank(key: string): number {
  const at = TELLING.indexOf(key)
  return at < 0 ? TELLING.length : at
}

function unitOf({ unit, rate }: MetricEntry): string {
  return rate ? `${unit === '' || unit === '1' ? '' : unit}/s` : unit
}
