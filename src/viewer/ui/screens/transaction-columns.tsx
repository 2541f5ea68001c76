import type { Latency, Sample, TransactionRow } from '../../api.js'
import { count, duration, percent } from '../../model/format.js'
import { filtersOf } from '../client.js'
import { clock } from '../clock.js'
import { COUNTS, durations, rate, TraceLink } from '../parts/columns.js'
import { type Column, Meter } from '../parts/table.js'
import { href, route } from '../route.js'

/** Columns of figures, the same for services and transactions. */
export const LATENCY: Column<Latency>[] = [
  ...COUNTS,
  {
    key: 'errors',
    title: 'Errors/min',
    number: true,
    hint: 'Failed transactions per minute, and their share',
    value: (row) => row.errors,
    cell: (row) =>
      row.errors === 0 ? (
        <span class="muted">0</span>
      ) : (
        <span class="error-text">
          {rate((row.throughput * row.errors) / Math.max(1, row.count))},{' '}
          {percent(row.errors / Math.max(1, row.count))}
        </span>
      ),
  },
  ...(['mean', 'p50', 'p95', 'p99'] as const).map(
    (key): Column<Latency> => ({
      key,
      title: key === 'mean' ? 'Mean' : key,
      number: true,
      value: (row) => row[key],
      cell: (row) => (row.count === 0 ? <span class="muted">–</span> : duration(row[key])),
    }),
  ),
]

/** Columns of the table of transactions. */
export const TRANSACTIONS: Column<TransactionRow>[] = [
  {
    key: 'name',
    title: 'Transaction',
    name: true,
    value: ({ name }) => name,
    cell: ({ service, name, type }) => (
      <a
        title={name}
        href={href(['transactions'], { ...filtersOf(route.peek().params), service, transaction: name, type })}
      >
        {name || '(unnamed)'}
      </a>
    ),
  },
  {
    key: 'service',
    title: 'Service',
    brief: true,
    value: ({ service }) => service,
    cell: ({ service }) => <span title={service}>{service}</span>,
  },
  {
    key: 'type',
    title: 'Type',
    value: ({ type }) => type,
    cell: ({ type }) => <span class="muted">{type}</span>,
  },
  ...LATENCY,
  {
    key: 'threads',
    title: 'Workers',
    number: true,
    value: ({ threads }) => threads,
    cell: ({ threads }) => count(threads),
    hint: 'Worker threads that took part',
  },
  {
    key: 'impact',
    title: 'Impact',
    value: ({ impact }) => impact,
    cell: ({ impact }) => <Meter share={impact} text={percent(impact)} />,
    hint: 'Share of the time of all transactions in the selection, less the time in which others ran that they called',
  },
]

/** Columns of the table of samples, each a transaction in its trace. */
export function samples(rows: readonly Sample[]): Column<Sample>[] {
  return [
    {
      key: 'start',
      title: 'Started',
      value: ({ start }) => start,
      cell: ({ start }) => clock(start),
    },
    {
      key: 'name',
      title: 'Transaction',
      name: true,
      value: ({ name }) => name,
      cell: (sample) => <SampleLink sample={sample} />,
    },
    {
      key: 'status',
      title: 'Status',
      value: ({ status }) => status,
      cell: ({ status, failed }) => <span class={`badge${failed ? ' bad' : ''}`}>{status}</span>,
    },
    ...durations(rows),
    {
      key: 'service',
      title: 'Service',
      brief: true,
      value: ({ service }) => service,
      cell: ({ service }) => service,
    },
    { key: 'host', title: 'Host', brief: true, value: ({ host }) => host, cell: ({ host }) => host || '–' },
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
  ]
}

function SampleLink({ sample }: { sample: Sample }) {
  const { params } = route.peek()
  const { spanId } = sample
  const to = { ...filtersOf(params), samples: params['samples'], sample: spanId, span: spanId }
  return <TraceLink target={sample} params={to} />
}

/** How many of a selection have a status or a host. */
export interface Part {
  readonly kind: string
  readonly text: string
  readonly count: number
  readonly share: number
}

/** Columns of a table of statuses or hosts. */
export const BREAKDOWN: Column<Part>[] = [
  {
    key: 'text',
    title: 'Value',
    name: true,
    value: ({ text }) => text,
    cell: ({ kind, text }) =>
      text === '' ? (
        <span class="muted">not told</span>
      ) : (
        <a href={href(['transactions'], { ...route.peek().params, [kind]: text })}>{text}</a>
      ),
  },
  { key: 'count', title: 'Count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  {
    key: 'share',
    title: 'Share',
    value: ({ share }) => share,
    cell: ({ share }) => <Meter share={share} text={percent(share)} />,
  },
]
