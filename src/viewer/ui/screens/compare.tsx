import { useMemo } from 'preact/hooks'
import type { TraceColumns } from '../../api.js'
import { activity } from '../../model/activity.js'
import { type ComparedRow, compareTraces } from '../../model/compare.js'
import { mainRoot } from '../../model/critical-path.js'
import { count, duration } from '../../model/format.js'
import { parallelism } from '../../model/parallelism.js'
import { nameOf, readTrace, type Trace } from '../../model/trace.js'
import { useData } from '../client.js'
import { Failed, Loading } from '../parts/states.js'
import { type Column, Table } from '../parts/table.js'
import { href } from '../route.js'

/** Two traces side by side, matched by the names on the way from the root. */
export function CompareScreen({ left, right }: { left: string; right: string }) {
  const a = useData<TraceColumns>(`/api/trace/${left}`)
  const b = useData<TraceColumns>(`/api/trace/${right}`)
  const error = a.error ?? b.error
  const compared = useMemo(() => {
    if (a.data === null || b.data === null) return null
    const traces = [readTrace(a.data), readTrace(b.data)] as const
    return { traces, rows: compareTraces(...traces) }
  }, [a.data, b.data])
  if (error !== null) return <div class="page">{<Failed error={error} />}</div>
  if (compared === null) return <Loading />
  return (
    <div class="page">
      <div class="page-head">
        <h1>Two traces compared</h1>
        <a class="button" href={href(['compare', right, left])}>
          Swap
        </a>
      </div>
      <Totals traces={compared.traces} />
      <div class="panel">
        <Table
          label="Spans by their path"
          rows={compared.rows}
          columns={COLUMNS}
          keyOf={keyOf(compared.rows)}
        />
      </div>
    </div>
  )
}

function Totals({ traces }: { traces: readonly [Trace, Trace] }) {
  const sums = useMemo(() => traces.map((trace) => parallelism(trace, activity(trace))), [traces])
  const [a, b] = [sums[0]!, sums[1]!]
  const rows = [
    { name: 'Wall time', values: [a.wall, b.wall], text: duration },
    { name: 'Busy time', values: [a.busy, b.busy], text: duration },
    { name: 'Speed-up', values: [a.speedup, b.speedup], text: (value: number) => `${value.toFixed(1)}×` },
    { name: 'Waited in queues', values: [a.waited, b.waited], text: duration },
    { name: 'Spans', values: [traces[0].size, traces[1].size], text: count },
    { name: 'Threads', values: [a.threads.length, b.threads.length], text: count },
  ]
  return (
    <div class="panel">
      <Table
        label="Totals"
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { key: 'name', title: '', name: true, cell: ({ name }) => <span>{name}</span> },
          ...[0, 1].map(
            (side): Column<(typeof rows)[number]> => ({
              key: String(side),
              title: `${side === 0 ? 'Left' : 'Right'}: ${titleOf(traces[side]!)}`,
              number: true,
              cell: ({ values, text }) => text(values[side]!),
            }),
          ),
          {
            key: 'change',
            title: 'Change',
            number: true,
            cell: ({ values, text }) => change(values[0]!, values[1]!, text),
          },
        ]}
      />
      <div class="more row">
        <a href={href(['trace', traces[0].id])}>Open the left one</a>
        <a href={href(['trace', traces[1].id])}>Open the right one</a>
      </div>
    </div>
  )
}

function titleOf(trace: Trace): string {
  const root = mainRoot(trace)
  return root < 0 ? trace.id.slice(0, 8) : `${nameOf(trace, root)} (${trace.id.slice(0, 8)})`
}

function change(a: number, b: number, text: (value: number) => string) {
  if (a === b) return <span class="muted">same</span>
  const ratio = a > 0 && b > 0 ? ` (${b > a ? '+' : '−'}${Math.round((Math.abs(b - a) / a) * 100)} %)` : ''
  return `${b > a ? '+' : '−'}${text(Math.abs(b - a))}${ratio}`
}

function keyOf(rows: readonly ComparedRow[]): (row: ComparedRow) => string {
  const place = new Map(rows.map((row, i) => [row, String(i)]))
  return (row) => place.get(row)!
}

const COLUMNS: Column<ComparedRow>[] = [
  {
    key: 'name',
    title: 'Span',
    name: true,
    cell: ({ name, service, depth, left, right }) => (
      <span style={{ paddingLeft: `${depth * 14}px` }}>
        {name} <span class="muted">{service}</span>{' '}
        {left.count === 0 && <span class="badge good">only right</span>}
        {right.count === 0 && <span class="badge late">only left</span>}
      </span>
    ),
  },
  {
    key: 'count',
    title: 'Count',
    number: true,
    cell: ({ left, right }) =>
      left.count === right.count ? count(left.count) : `${count(left.count)} → ${count(right.count)}`,
  },
  {
    key: 'left',
    title: 'Left',
    number: true,
    value: ({ left }) => left.total,
    cell: ({ left }) => duration(left.total),
  },
  {
    key: 'right',
    title: 'Right',
    number: true,
    value: ({ right }) => right.total,
    cell: ({ right }) => duration(right.total),
  },
  {
    key: 'change',
    title: 'Change',
    number: true,
    value: ({ left, right }) => Math.abs(right.total - left.total),
    cell: ({ left, right }) => change(left.total, right.total, duration),
  },
  {
    key: 'self',
    title: 'Self time, change',
    number: true,
    value: ({ left, right }) => Math.abs(right.self - left.self),
    cell: ({ left, right }) => change(left.self, right.self, duration),
  },
  {
    key: 'waited',
    title: 'Waits, change',
    number: true,
    value: ({ left, right }) => Math.abs(right.waited - left.waited),
    cell: ({ left, right }) => change(left.waited, right.waited, duration),
  },
  {
    key: 'errors',
    title: 'Errors',
    number: true,
    value: ({ left, right }) => left.errors + right.errors,
    cell: ({ left, right }) =>
      left.errors + right.errors === 0 ? <span class="muted">none</span> : `${left.errors} → ${right.errors}`,
  },
]
