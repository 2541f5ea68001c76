import { count, duration } from '../../model/format.js'
import { href } from '../route.js'
import type { Column } from './table.js'

// Columns and cells that several tables have.

/** A rate: as exact as it is small. */
export function rate(value: number): string {
  if (value > 0 && value < 0.01) return '< 0.01'
  return count(
    value < 1 ? Math.round(value * 100) / 100 : value < 100 ? Math.round(value * 10) / 10 : Math.round(value),
  )
}

/** How many there are, in all and per minute. */
export const COUNTS: Column<{ readonly count: number; readonly throughput: number }>[] = [
  { key: 'count', title: 'Count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  {
    key: 'throughput',
    title: 'Per minute',
    number: true,
    value: (row) => row.throughput,
    cell: (row) => rate(row.throughput),
  },
]

interface Timed {
  readonly duration: number
  readonly failed: boolean
}

/** Durations in figures, and as bars against the longest of all rows. */
export function durations(rows: readonly Timed[]): Column<Timed>[] {
  const longest = rows.reduce((most, { duration }) => Math.max(most, duration), 0)
  return [
    {
      key: 'duration',
      title: 'Duration',
      number: true,
      value: ({ duration }) => duration,
      cell: (row) => duration(row.duration),
    },
    {
      key: 'bar',
      title: '',
      cell: ({ duration, failed }) => (
        <span class="track" aria-hidden="true">
          <i
            class={failed ? 'bad' : ''}
            style={{ width: `${longest > 0 ? (duration / longest) * 100 : 0}%` }}
          />
        </span>
      ),
    },
  ]
}

interface Target {
  readonly traceId: string
  readonly name: string
  readonly path: string
}

/** Leads to a trace, with what tells it from others of its name. */
export function TraceLink(props: { target: Target; params: Readonly<Record<string, string | undefined>> }) {
  const { traceId, name, path } = props.target
  return (
    <a title={path === '' ? name : `${name} ${path}`} href={href(['trace', traceId], props.params)}>
      {name || '(unnamed)'}
      {path !== '' && !name.endsWith(path) && <span class="muted"> {path}</span>}
    </a>
  )
}
