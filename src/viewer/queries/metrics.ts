import type { Filter, MetricRow, MetricSeries } from '../api.js'
import type { MetricEntry, Metrics } from '../store/metrics.js'

/** Most lines in one chart: more cannot be told apart. */
const MAX_LINES = 60

/** `GET /api/metrics`, by name. */
export function metricRows(metrics: Metrics): MetricRow[] {
  return [...metrics.byName.values()]
    .map(({ name, unit, description, kind, series }) => ({
      name,
      unit,
      description,
      kind,
      services: [...new Set([...series.values()].map(({ service }) => service))],
      series: series.size,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `GET /api/metrics/:name`: all lines on one axis of time, which holds every time that any of them has. */
export function metricSeries(entry: MetricEntry, filter: Filter): MetricSeries {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  const chosen = [...entry.series.values()].filter(
    ({ service, host }) =>
      (filter.service === undefined || service === filter.service) &&
      (filter.host === undefined || host === filter.host),
  )
  const several = new Set(chosen.map(({ service }) => service)).size > 1
  const lines = chosen
    .flatMap((series) =>
      [...series.lines].map(([line, values]) => ({
        label: [several ? series.service : '', series.label, line].filter((part) => part !== '').join(' · '),
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

function unitOf({ unit, rate }: MetricEntry): string {
  return rate ? `${unit === '' || unit === '1' ? '' : unit}/s` : unit
}
