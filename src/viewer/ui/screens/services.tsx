import type { Series, ServiceRow } from '../../api.js'
import { count } from '../../model/format.js'
import { api, filtered, filtersOf, useData } from '../client.js'
import { Filters } from '../parts/filters.js'
import { useList } from '../parts/list.js'
import { Empty, Failed, Loading, Waiting } from '../parts/states.js'
import { type Column, Table, Trend } from '../parts/table.js'
import { href, route, setParams } from '../route.js'
import { LatencyOverTime, StatusesOverTime } from './charts.js'
import { MapPanel } from './map.js'
import { LATENCY } from './transaction-columns.js'

const FIRST = 10

/** The services, the busiest first: how much each does, how fast, and how often it fails. */
export function ServicesScreen() {
  const { params } = route.value
  const services = useList<ServiceRow>('services', { first: FIRST })
  const series = useData<Series>(api('series', params), true)
  const { data: rows, error, total } = services
  const map = params['view'] === 'map'
  const none = rows !== null && rows.length === 0
  return (
    <div class="page">
      <div class="page-head">
        <h1>Services</h1>
        <div class="group" role="group" aria-label="Kind of view">
          <button type="button" aria-pressed={!map} onClick={() => setParams({ view: undefined })}>
            Table
          </button>
          <button type="button" aria-pressed={map} onClick={() => setParams({ view: 'map' })}>
            Map
          </button>
        </div>
        <Filters />
      </div>
      {error !== null && <Failed error={error} />}
      {rows === null && error === null && <Loading />}
      {none && !filtered(params) && <Waiting what="transactions" />}
      {none && filtered(params) && (
        <Empty title="No service matches">
          <p>Remove a filter above, or widen the time.</p>
        </Empty>
      )}
      {map && rows !== null && rows.length > 0 && <MapPanel />}
      {!map && rows !== null && rows.length > 0 && (
        <>
          <div class="panel">
            <header>
              <h2>Services</h2>
              <span class="muted">{count(total)}</span>
              <span class="grow" />
              <a href={href(['processes'], filtersOf(params))}>All processes</a>
              <a href={href(['transactions'], filtersOf(params))}>All transactions</a>
            </header>
            <Table
              label="Services"
              rows={rows}
              columns={COLUMNS}
              keyOf={({ service }) => service}
              sort="count"
              server="sort"
              total={total}
              onMore={services.more}
            />
          </div>
          <div class="two">
            <StatusesOverTime data={series.data} />
            <LatencyOverTime data={series.data} />
          </div>
        </>
      )}
    </div>
  )
}

const COLUMNS: Column<ServiceRow>[] = [
  {
    key: 'service',
    title: 'Service',
    name: true,
    value: ({ service }) => service,
    cell: ({ service, count, calls }) => (
      <a
        title={service}
        href={href(['transactions'], {
          ...filtersOf(route.peek().params),
          service,
          transaction: undefined,
          ...(count === 0 && calls > 0 && { type: 'call' }),
        })}
      >
        {service}
      </a>
    ),
  },
  { key: 'trend', title: 'Over time', cell: ({ trend }) => <Trend values={trend} /> },
  ...LATENCY,
  {
    key: 'calls',
    title: 'Calls',
    number: true,
    value: ({ calls }) => calls,
    cell: ({ calls }) => <span class={calls === 0 ? 'muted' : ''}>{count(calls)}</span>,
    hint: 'Calls with which a trace begins: what they ask for counts where it is answered',
  },
  {
    key: 'processes',
    title: 'Processes',
    number: true,
    value: ({ processes }) => processes,
    cell: ({ service, processes }) => (
      <a href={href(['processes'], { ...filtersOf(route.peek().params), service })}>
        {count(processes)}
        <span class="sr-only"> processes of {service}</span>
      </a>
    ),
  },
]
