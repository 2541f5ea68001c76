import type { Distribution, Latency, Sample, Series, Totals, TransactionRow } from '../../api.js'
import { count, duration, percent } from '../../model/format.js'
import { api, filtered, filtersOf, useData } from '../client.js'
import { rate } from '../parts/columns.js'
import { Filters } from '../parts/filters.js'
import { Histogram } from '../parts/histogram.js'
import { useList } from '../parts/list.js'
import { Empty, Failed, Loading, Waiting } from '../parts/states.js'
import { Table } from '../parts/table.js'
import { href, route, setParams } from '../route.js'
import { LatencyOverTime, StatusesOverTime } from './charts.js'
import { BREAKDOWN, samples, TRANSACTIONS } from './transaction-columns.js'

/** Transactions, of a service or of all: how many, how fast, how often they fail; and samples of what is selected. */
export function TransactionsScreen() {
  const { params } = route.value
  const one = params['transaction'] !== undefined
  const transactions = useList<TransactionRow>(one ? null : 'transactions', { first: 10 })
  const list = useList<Sample>('samples', { server: 'samples', first: 10 })
  const sums = useData<Totals>(api('totals', params), true)
  const series = useData<Series>(api('series', params), true)
  const spread = useData<Distribution>(api('distribution', params), true)
  const error = list.error ?? transactions.error
  const none = list.data !== null && list.data.length === 0
  const brushed = params['min'] !== undefined || params['max'] !== undefined
  return (
    <div class="page">
      <Head />
      {error !== null && <Failed error={error} />}
      {list.data === null && error === null && <Loading />}
      {none && !filtered(params) && <Waiting what="transactions" />}
      {list.data !== null && !(none && !filtered(params)) && (
        <>
          {sums.data !== null && <Figures {...sums.data} />}
          <div class="three">
            <StatusesOverTime data={series.data} />
            <LatencyOverTime data={series.data} />
            <figure class="panel">
              <header>
                <figcaption class="title">
                  <h2>Latency distribution</h2>
                </figcaption>
                {brushed ? (
                  <button
                    type="button"
                    class="small"
                    onClick={() => setParams({ min: undefined, max: undefined })}
                  >
                    Clear selection
                  </button>
                ) : (
                  <span class="muted">Drag to pick samples</span>
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
          {none && (
            <Empty title="No transaction matches">
              <p>Remove a filter above, or widen the selected time and latency.</p>
            </Empty>
          )}
          {transactions.data !== null && transactions.data.length > 0 && (
            <div class="panel">
              <header>
                <h2>Transactions</h2>
                <span class="muted">{count(transactions.total)}</span>
              </header>
              <Table
                label="Transactions"
                rows={transactions.data}
                columns={TRANSACTIONS}
                keyOf={({ service, name, type }) => `${service}\n${name}\n${type}`}
                sort="impact"
                server="sort"
                total={transactions.total}
                onMore={transactions.more}
              />
            </div>
          )}
          {!none && (
            <div class="panel">
              <header>
                <h2>Samples</h2>
                <span class="muted">{count(list.total)}</span>
              </header>
              <Table
                label="Samples"
                rows={list.data}
                columns={samples(list.data)}
                keyOf={({ traceId, spanId }) => `${traceId}${spanId}`}
                sort="start"
                server="samples"
                total={list.total}
                onMore={list.more}
              />
            </div>
          )}
          {!none && spread.data !== null && (
            <div class="two">
              <Breakdown
                title="By status"
                kind="status"
                of={spread.data.statuses.map(({ status, count }) => [status, count])}
              />
              <Breakdown
                title="By host"
                kind="host"
                of={spread.data.hosts.map(({ host, count }) => [host, count])}
              />
            </div>
          )}
        </>
      )}
    </div>
  )
}

function Head() {
  const { params } = route.value
  const { service, transaction } = params
  const filters = filtersOf(params)
  const { transaction: _, type: _type, min: _min, max: _max, ...wider } = filters
  return (
    <div class="page-head">
      {service !== undefined && (
        <nav class="crumbs" aria-label="Where this is">
          <a href={href(['services'], { ...wider, service: undefined })}>Services</a>
          <span aria-hidden="true">/</span>
          {transaction !== undefined && (
            <>
              <a class="ellipsis" href={href(['transactions'], wider)}>
                {service}
              </a>
              <span aria-hidden="true">/</span>
            </>
          )}
        </nav>
      )}
      <h1 class="ellipsis" title={transaction ?? service}>
        {transaction ?? service ?? 'Transactions'}
      </h1>
      <Filters />
    </div>
  )
}

function Figures({ now, before }: Totals) {
  const failed = ({ errors, count }: Latency) => errors / Math.max(1, count)
  const perMinute = ({ throughput, errors, count }: Latency) => (throughput * errors) / Math.max(1, count)
  const tiles: readonly (readonly [string, (of: Latency) => number, (value: number) => string])[] = [
    ['Per minute', ({ throughput }) => throughput, rate],
    ['Mean', ({ mean }) => mean, duration],
    ['p50', ({ p50 }) => p50, duration],
    ['p95', ({ p95 }) => p95, duration],
    ['p99', ({ p99 }) => p99, duration],
    ['Errors per minute', perMinute, rate],
    ['Failed', failed, percent],
  ]
  return (
    <dl class="tiles figures" aria-label="The selection in figures">
      <div class="tile">
        <dt>Count</dt>
        <dd>{count(now.count)}</dd>
      </div>
      {tiles.map(([name, value, text]) => (
        <div class="tile" key={name}>
          <dt>{name}</dt>
          <dd>
            {text(value(now))}
            {before !== null && before.count > 0 && (
              <Change from={value(before)} to={value(now)} text={text} />
            )}
          </dd>
        </div>
      ))}
      {before !== null && (
        <div class="tile muted">
          <dt>Compared with</dt>
          <dd class="plain-text">{before.count > 0 ? 'the same time before' : 'nothing: no data before'}</dd>
        </div>
      )}
    </dl>
  )
}

function Change({ from, to, text }: { from: number; to: number; text: (value: number) => string }) {
  const before = `before: ${text(from)}`
  if (from === to) return <small title={before}>same</small>
  const share = from > 0 ? `${Math.round((Math.abs(to - from) / from) * 100)} %` : text(to)
  return (
    <small title={before}>
      {to > from ? '+' : '−'}
      {share}
    </small>
  )
}

function Breakdown({
  title,
  kind,
  of,
}: {
  title: string
  kind: string
  of: readonly (readonly [string, number])[]
}) {
  const all = of.reduce((sum, [, many]) => sum + many, 0)
  return (
    <div class="panel">
      <header>
        <h2>{title}</h2>
      </header>
      <Table
        label={title}
        rows={of.map(([text, count]) => ({ kind, text, count, share: count / Math.max(1, all) }))}
        columns={BREAKDOWN}
        keyOf={({ text }) => text}
      />
    </div>
  )
}

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)
