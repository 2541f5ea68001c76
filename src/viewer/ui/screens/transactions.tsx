import { useMemo } from 'preact/hooks'
import type { Distribution, Series, ServiceRow, TraceSummary, TransactionRow } from '../../api.js'
import { count, duration, mark } from '../../model/format.js'
import { api, useData } from '../client.js'
import { Chart } from '../parts/chart.js'
import { Filters, filtered } from '../parts/filters.js'
import { Histogram } from '../parts/histogram.js'
import { Empty, Failed, Loading, Waiting } from '../parts/states.js'
import { Table } from '../parts/table.js'
import { Traces } from '../parts/traces.js'
import { route, setParams } from '../route.js'
import { BREAKDOWN, SERVICES, TRANSACTIONS } from './transaction-columns.js'

const SAMPLES = 50

/** Services and transactions: how many, how fast, how often they fail; and samples of what is selected. */
export function TransactionsScreen() {
  const { params } = route.value
  const { min: _min, max: _max, ...wide } = params
  const transactions = useData<TransactionRow[]>(api('transactions', params), true)
  const services = useData<ServiceRow[]>(api('services', params), true)
  const series = useData<Series>(api('series', params), true)
  // The distribution shows all latencies, also those outside of the range that is selected on it.
  const spread = useData<Distribution>(api('distribution', wide), true)
  const samples = useData<TraceSummary[]>(api('traces', params, { limit: SAMPLES }), true)
  const rows = transactions.data

  if (transactions.error !== null) return <Page>{<Failed error={transactions.error} />}</Page>
  if (rows === null) return <Page>{<Loading />}</Page>
  if (rows.length === 0 && !filtered(params)) return <Page>{<Waiting what="transactions" />}</Page>
  return (
    <Page>
      <div class="three">
        <Throughput data={series.data} />
        <LatencyOverTime data={series.data} />
        <figure class="panel">
          <header>
            <figcaption class="grow">
              <h2>Latency distribution</h2>
            </figcaption>
            {params['min'] === undefined && params['max'] === undefined ? (
              <span class="muted">Drag to pick samples</span>
            ) : (
              <button
                type="button"
                class="plain"
                onClick={() => setParams({ min: undefined, max: undefined })}
              >
                Clear selection
              </button>
            )}
          </header>
          {(spread.data?.buckets.length ?? 0) > 0 && (
            <Histogram
              buckets={spread.data!.buckets}
              min={number(params['min'])}
              max={number(params['max'])}
              onSelect={(min, max) => setParams({ min, max })}
            />
          )}
        </figure>
      </div>
      {rows.length === 0 ? (
        <Empty title="No transaction matches">
          <p>Remove a filter above, or widen the selected time and latency.</p>
        </Empty>
      ) : (
        <section class="panel" aria-labelledby="transactions-title">
          <header>
            <h2 id="transactions-title">Transactions</h2>
            <span class="muted">{count(rows.length)}</span>
          </header>
          <Table label="Transactions" rows={rows} columns={TRANSACTIONS} keyOf={keyOf} sort="impact" />
        </section>
      )}
      {samples.data !== null && samples.data.length > 0 && (
        <section class="panel" aria-labelledby="samples-title">
          <header>
            <h2 id="samples-title">Samples</h2>
            <span class="muted">The latest {samples.data.length} of the selection</span>
          </header>
          <Traces label="Samples" traces={samples.data} />
        </section>
      )}
      <div class="two">
        {services.data !== null && services.data.length > 0 && (
          <section class="panel" aria-labelledby="services-title">
            <header>
              <h2 id="services-title">Services</h2>
            </header>
            <Table
              label="Services"
              rows={services.data}
              columns={SERVICES}
              keyOf={({ service }) => service}
              sort="count"
            />
          </section>
        )}
        {spread.data !== null && <Breakdown data={spread.data} />}
      </div>
    </Page>
  )
}

function Page({ children }: { children: preact.ComponentChildren }) {
  return (
    <div class="page">
      <div class="page-head">
        <h1>Transactions</h1>
        <Filters />
      </div>
      {children}
    </div>
  )
}

function Throughput({ data }: { data: Series | null }) {
  const lines = useMemo(
    () => [
      { label: 'all', values: data?.count ?? [], token: '--hue-0', bars: true },
      { label: 'failed', values: data?.errors ?? [], token: '--error', bars: true },
    ],
    [data],
  )
  return (
    <Chart
      title={`Transactions${data ? ` per ${mark(data.step, data.step)}` : ''}`}
      times={data?.times ?? NONE}
      lines={lines}
      format={count}
      onSelect={selectTime}
    />
  )
}

function LatencyOverTime({ data }: { data: Series | null }) {
  const lines = useMemo(
    () => [
      { label: 'p50', values: data?.p50 ?? [], token: '--line-1' },
      { label: 'p95', values: data?.p95 ?? [], token: '--line-2', dash: [6, 3] },
      { label: 'p99', values: data?.p99 ?? [], token: '--line-3', dash: [2, 3] },
    ],
    [data],
  )
  return (
    <Chart
      title="Latency"
      times={data?.times ?? NONE}
      lines={lines}
      format={duration}
      onSelect={selectTime}
    />
  )
}

function Breakdown({ data }: { data: Distribution }) {
  const all = (rows: readonly { count: number }[]) => rows.reduce((sum, row) => sum + row.count, 0)
  const statuses = all(data.statuses)
  const hosts = all(data.hosts)
  return (
    <section class="panel" aria-labelledby="breakdown-title">
      <header>
        <h2 id="breakdown-title">By status and host</h2>
      </header>
      <Table
        label="By status and host"
        rows={[
          ...data.statuses.map(({ status, count }) => ({
            kind: 'status',
            text: status,
            count,
            share: count / statuses,
          })),
          ...data.hosts.map(({ host, count }) => ({ kind: 'host', text: host, count, share: count / hosts })),
        ]}
        columns={BREAKDOWN}
        keyOf={({ kind, text }) => `${kind} ${text}`}
      />
    </section>
  )
}

const NONE: readonly number[] = []
const keyOf = ({ service, name }: TransactionRow): string => `${service}\n${name}`
const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

function selectTime(from: number, to: number): void {
  setParams({ from: Math.floor(from), to: Math.ceil(to) })
}
