import type { TraceSpan } from '../../terminal/waterfall.js'

/** What the SERVER spans of one route say. */
export interface RouteStats {
  /** Name of the transactions: `GET /delay`. */
  readonly name: string
  readonly count: number
  /** Milliseconds; the duration that half of the requests took at most. */
  readonly p50: number
  /** Milliseconds. */
  readonly p95: number
  /** Requests that failed: status ERROR. */
  readonly errors: number
}

const SERVER = 2
const ERROR = 2

/** The transactions of one service, by name. */
export function routeStats(spans: readonly TraceSpan[], service: string): RouteStats[] {
  const durations = new Map<string, { milliseconds: number[]; errors: number }>()
  for (const { span, resource } of spans) {
    if (span.kind !== SERVER || resource.attributes['service.name'] !== service) continue
    const route = durations.get(span.name) ?? { milliseconds: [], errors: 0 }
    route.milliseconds.push(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6)
    if (span.status.code === ERROR) route.errors++
    durations.set(span.name, route)
  }
  return [...durations]
    .map(([name, { milliseconds, errors }]) => {
      milliseconds.sort((a, b) => a - b)
      return {
        name,
        count: milliseconds.length,
        p50: percentile(milliseconds, 0.5),
        p95: percentile(milliseconds, 0.95),
        errors,
      }
    })
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Nearest rank: always a duration that was measured. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

/** The figures as a table for terminals. */
export function renderRoutes(routes: readonly RouteStats[]): string {
  const rows = [
    ['transaction', 'count', 'p50 ms', 'p95 ms', 'errors'],
    ...routes.map(({ name, count, p50, p95, errors }) => [
      name,
      String(count),
      p50.toFixed(1),
      p95.toFixed(1),
      errors === 0 ? '' : String(errors),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('   ')
      .trimEnd(),
  )
  return `${lines.map((line) => ` ${line}`).join('\n')}\n`
}
