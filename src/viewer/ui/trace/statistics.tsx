import { useMemo } from 'preact/hooks'
import { count, duration } from '../../model/format.js'
import { type NameStatistics, statistics } from '../../model/statistics.js'
import { type Column, Meter, Table } from '../parts/table.js'
import type { TraceView } from './view.js'

/** What the spans of each name amount to. */
export function Statistics({ view }: { view: TraceView }) {
  const rows = useMemo(() => statistics(view.trace, view.self.value), [view])
  const columns = useMemo(() => columnsOf(view, rows), [view, rows])
  return (
    <div class="beside">
      <Table
        label="Spans by name"
        rows={rows}
        columns={columns}
        keyOf={({ service, name }) => `${service}\n${name}`}
        sort="self"
      />
    </div>
  )
}

function columnsOf(view: TraceView, rows: readonly NameStatistics[]): Column<NameStatistics>[] {
  const all = Math.max(
    1e-9,
    rows.reduce((sum, { self }) => sum + self, 0),
  )
  const time = (
    key: 'total' | 'self' | 'most' | 'waited',
    title: string,
    hint: string,
  ): Column<NameStatistics> => ({
    key,
    title,
    hint,
    number: true,
    value: (row) => row[key],
    cell: (row) => (row[key] === 0 ? <span class="muted">0</span> : duration(row[key])),
  })
  return [
    {
      key: 'name',
      title: 'Span',
      name: true,
      value: ({ name }) => name,
      cell: ({ name }) => (
        <button
          type="button"
          class="link"
          title={`Find the spans named ${name}`}
          onClick={() => {
            view.query.value = `name="${name.replaceAll('"', '')}"`
            view.mode.value = 'waterfall'
          }}
        >
          {name}
        </button>
      ),
    },
    {
      key: 'service',
      title: 'Service',
      brief: true,
      value: ({ service }) => service,
      cell: ({ service }) => service,
    },
    {
      key: 'count',
      title: 'Count',
      number: true,
      value: (row) => row.count,
      cell: (row) => count(row.count),
    },
    time('total', 'Total', 'Durations laid end to end'),
    time('self', 'Self', 'Less the time in which their children ran'),
    {
      key: 'share',
      title: 'Of all self time',
      value: ({ self }) => self,
      cell: ({ self }) => <Meter share={self / all} text={`${Math.round((self / all) * 100)} %`} />,
    },
    {
      key: 'mean',
      title: 'Mean',
      number: true,
      value: (row) => row.total / row.count,
      cell: (row) => duration(row.total / row.count),
    },
    {
      key: 'most',
      title: 'Max',
      number: true,
      value: ({ most }) => most,
      cell: ({ most, longest }) => (
        <button
          type="button"
          class="link"
          title="Go to the longest"
          onClick={() => {
            view.mode.value = 'waterfall'
            view.select(longest, true)
          }}
        >
          {duration(most)}
        </button>
      ),
    },
    time('waited', 'Waited', 'Spent in queues before they started'),
    {
      key: 'errors',
      title: 'Failed',
      number: true,
      value: ({ errors }) => errors,
      cell: ({ errors }) => <span class={errors > 0 ? 'error-text' : 'muted'}>{count(errors)}</span>,
    },
  ]
}
