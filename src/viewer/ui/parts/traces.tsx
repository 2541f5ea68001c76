import type { TraceSummary } from '../../api.js'
import { count, duration, plural } from '../../model/format.js'
import { href } from '../route.js'
import { clock } from './filters.js'
import { type Column, Table } from './table.js'

interface Props {
  readonly label: string
  readonly traces: readonly TraceSummary[]
  /** Two traces to be compared, chosen with the boxes; without it there are none. */
  readonly chosen?: readonly string[]
  readonly onChoose?: (chosen: string[]) => void
}

/** A table of traces. */
export function Traces({ label, traces, chosen, onChoose }: Props) {
  const longest = traces.reduce((most, { duration }) => Math.max(most, duration), 0)
  const columns: Column<TraceSummary>[] = [
    {
      key: 'name',
      title: 'Transaction',
      name: true,
      value: ({ name }) => name,
      cell: ({ traceId, name }) => <a href={href(['trace', traceId])}>{name || '(unnamed)'}</a>,
    },
    { key: 'service', title: 'Service', value: ({ service }) => service, cell: ({ service }) => service },
    {
      key: 'status',
      title: 'Status',
      value: ({ status }) => status,
      cell: ({ status, errors, orphans }) => (
        <span class="row">
          <span class={`badge${errors > 0 ? ' bad' : ''}`}>{status || 'unset'}</span>
          {errors > 0 && <span class="badge bad">{plural(errors, 'error')}</span>}
          {orphans > 0 && <span class="badge late">{plural(orphans, 'orphan')}</span>}
        </span>
      ),
    },
    {
      key: 'duration',
      title: 'Duration',
      number: true,
      value: ({ duration }) => duration,
      cell: (trace) => duration(trace.duration),
    },
    {
      key: 'bar',
      title: '',
      cell: ({ duration, errors }) => (
        <span class="track" aria-hidden="true">
          <i
            class={errors > 0 ? 'bad' : ''}
            style={{ width: `${longest > 0 ? (duration / longest) * 100 : 0}%` }}
          />
        </span>
      ),
    },
    {
      key: 'spans',
      title: 'Spans',
      number: true,
      value: ({ spans }) => spans,
      cell: ({ spans }) => count(spans),
    },
    {
      key: 'threads',
      title: 'Threads',
      number: true,
      value: ({ threads }) => threads,
      cell: ({ threads }) => count(threads),
    },
    {
      key: 'processes',
      title: 'Processes',
      number: true,
      value: ({ processes }) => processes,
      cell: ({ processes }) => count(processes),
    },
    {
      key: 'start',
      title: 'Started',
      number: true,
      value: ({ start }) => start,
      cell: ({ start }) => clock(start),
    },
  ]
  if (chosen !== undefined && onChoose !== undefined) {
    columns.unshift({
      key: 'choose',
      title: 'Compare',
      cell: ({ traceId, name }) => (
        <input
          type="checkbox"
          aria-label={`Compare ${name}, trace ${traceId.slice(0, 8)}`}
          checked={chosen.includes(traceId)}
          onChange={(event) => {
            const rest = chosen.filter((id) => id !== traceId)
            onChoose(event.currentTarget.checked ? [...rest, traceId].slice(-2) : rest)
          }}
        />
      ),
    })
  }
  return (
    <Table
      label={label}
      rows={traces}
      columns={columns}
      keyOf={({ traceId }) => traceId}
      selected={({ traceId }) => chosen?.includes(traceId) ?? false}
    />
  )
}
