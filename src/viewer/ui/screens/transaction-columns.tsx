import type { Latency, ServiceRow, TransactionRow } from '../../api.js'
import { count, duration, percent } from '../../model/format.js'
import { type Column, Meter } from '../parts/table.js'
import { href, route } from '../route.js'

const LATENCY: Column<Latency>[] = [
  { key: 'count', title: 'Count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  {
    key: 'throughput',
    title: 'Per minute',
    number: true,
    value: (row) => row.throughput,
    cell: (row) => count(Math.round(row.throughput * 10) / 10),
  },
  ...(['p50', 'p95', 'p99'] as const).map(
    (key): Column<Latency> => ({
      key,
      title: key,
      number: true,
      value: (row) => row[key],
      cell: (row) => duration(row[key]),
    }),
  ),
  {
    key: 'failed',
    title: 'Failed',
    number: true,
    value: (row) => row.errors / Math.max(1, row.count),
    cell: (row) => (
      <span class={row.errors > 0 ? 'error-text' : 'muted'}>
        {percent(row.errors / Math.max(1, row.count))}
      </span>
    ),
  },
]

/** Columns of the table of transactions. */
export const TRANSACTIONS: Column<TransactionRow>[] = [
  {
    key: 'name',
    title: 'Transaction',
    name: true,
    value: ({ name }) => name,
    cell: ({ service, name }) => (
      <a href={href(['transactions'], { ...route.peek().params, service, transaction: name })}>
        {name || '(unnamed)'}
      </a>
    ),
  },
  { key: 'service', title: 'Service', value: ({ service }) => service, cell: ({ service }) => service },
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
    hint: 'Share of the time of all transactions in the selection',
  },
]

/** Columns of the table of services. */
export const SERVICES: Column<ServiceRow>[] = [
  {
    key: 'service',
    title: 'Service',
    name: true,
    value: ({ service }) => service,
    cell: ({ service }) => (
      <a href={href(['transactions'], { ...route.peek().params, service, transaction: undefined })}>
        {service}
      </a>
    ),
  },
  ...LATENCY,
  {
    key: 'processes',
    title: 'Processes',
    number: true,
    value: ({ processes }) => processes,
    cell: ({ processes }) => count(processes),
  },
]

/** How many of a selection have a status or a host. */
export interface Part {
  readonly kind: string
  readonly text: string
  readonly count: number
  readonly share: number
}

/** Columns of the table of statuses and hosts. */
export const BREAKDOWN: Column<Part>[] = [
  {
    key: 'text',
    title: 'Status or host',
    name: true,
    value: ({ text }) => text,
    cell: ({ kind, text }) => (
      <a href={href(['transactions'], { ...route.peek().params, [kind]: text })}>{text}</a>
    ),
  },
  { key: 'kind', title: 'Kind', cell: ({ kind }) => <span class="muted">{kind}</span> },
  { key: 'count', title: 'Count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  {
    key: 'share',
    title: 'Share',
    value: ({ share }) => share,
    cell: ({ share }) => <Meter share={share} text={percent(share)} />,
  },
]
