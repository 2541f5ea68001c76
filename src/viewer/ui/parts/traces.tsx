import type { TraceSummary } from '../../api.js'
import { count, plural } from '../../model/format.js'
import { filtersOf } from '../client.js'
import { clock } from '../clock.js'
import { route } from '../route.js'
import { durations, TraceLink } from './columns.js'
import { type Column, Table } from './table.js'

interface Props {
  readonly label: string
  readonly traces: readonly TraceSummary[]
  /** Two traces to be compared, chosen with the boxes. */
  readonly chosen: readonly string[]
  readonly onChoose: (chosen: string[]) => void
  readonly total: number
  readonly onMore: () => void
}

/** A table of traces, sorted by the server. */
export function Traces({ label, traces, chosen, onChoose, total, onMore }: Props) {
  const columns: Column<TraceSummary>[] = [
    {
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
    },
    { key: 'start', title: 'Started', value: ({ start }) => start, cell: ({ start }) => clock(start) },
    {
      key: 'name',
      title: 'Trace',
      name: true,
      value: ({ name }) => name,
      cell: (trace) => {
        const { params } = route.peek()
        return <TraceLink target={trace} params={{ ...filtersOf(params), sort: params['sort'] }} />
      },
    },
    {
      key: 'service',
      title: 'Service',
      brief: true,
      value: ({ service }) => service,
      cell: ({ service }) => <span title={service}>{service}</span>,
    },
    {
      key: 'status',
      title: 'Status',
      value: ({ status }) => status,
      cell: ({ status, failed, errors, orphans }) => (
        <span class="row">
          <span class={`badge${failed ? ' bad' : ''}`}>{status || 'unset'}</span>
          {errors > 0 && <span class="badge bad">{plural(errors, 'failed span')}</span>}
          {orphans > 0 && <span class="badge late">{plural(orphans, 'orphan')}</span>}
        </span>
      ),
    },
    ...durations(traces),
    ...(['spans', 'threads', 'processes'] as const).map(
      (key): Column<TraceSummary> => ({
        key,
        title: key[0]!.toUpperCase() + key.slice(1),
        number: true,
        value: (row) => row[key],
        cell: (row) => count(row[key]),
      }),
    ),
  ]
  return (
    <Table
      label={label}
      rows={traces}
      columns={columns}
      keyOf={({ traceId }) => traceId}
      selected={({ traceId }) => chosen.includes(traceId)}
      sort="start"
      server="sort"
      total={total}
      onMore={onMore}
    />
  )
}
