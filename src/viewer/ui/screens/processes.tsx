import type { ProcessRow } from '../../api.js'
import { count } from '../../model/format.js'
import { filtered, filtersOf } from '../client.js'
import { Filters } from '../parts/filters.js'
import { useList } from '../parts/list.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { type Column, Table } from '../parts/table.js'
import { href, route } from '../route.js'
import { LATENCY } from './transaction-columns.js'

/** The processes that have sent something, the busiest first. */
export function ProcessesScreen() {
  const { params } = route.value
  const { data, error, total, more } = useList<ProcessRow>('processes', { first: 50 })
  return (
    <div class="page">
      <div class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href(['services'], filtersOf(params))}>Services</a>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>Processes</h1>
        <Filters />
      </div>
      {error !== null && <Failed error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && data.length === 0 && (
        <Empty title={filtered(params) ? 'No process matches' : 'No processes yet'}>
          <p>Processes are told apart by their service.instance.id, or by process.pid and host.name.</p>
        </Empty>
      )}
      {data !== null && data.length > 0 && (
        <div class="panel">
          <Table
            label="Processes"
            rows={data}
            columns={COLUMNS}
            keyOf={({ process }) => process}
            sort="count"
            server="sort"
            total={total}
            onMore={more}
          />
        </div>
      )}
    </div>
  )
}

/** What a process is called: its service and pid. */
export function processName({ service, pid, process }: ProcessRow): string {
  return `${service} ${pid || process}`
}

const COLUMNS: Column<ProcessRow>[] = [
  {
    key: 'service',
    title: 'Process',
    name: true,
    value: ({ service }) => service,
    cell: (row) => {
      const { process: _, ...filters } = filtersOf(route.peek().params)
      return (
        <a title={row.process} href={href(['processes', row.process], filters)}>
          {processName(row)}
        </a>
      )
    },
  },
  { key: 'host', title: 'Host', brief: true, value: ({ host }) => host, cell: ({ host }) => host || '–' },
  {
    key: 'runtime',
    title: 'Runtime',
    brief: true,
    value: ({ runtime }) => runtime,
    cell: ({ runtime }) => <span class="muted">{runtime || '–'}</span>,
  },
  {
    key: 'threads',
    title: 'Threads',
    number: true,
    value: ({ threads }) => threads.length,
    cell: ({ threads }) => count(threads.length),
  },
  ...LATENCY,
]
