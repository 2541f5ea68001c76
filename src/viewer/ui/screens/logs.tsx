import { useMemo, useState } from 'preact/hooks'
import type { LogList } from '../../api.js'
import { count } from '../../model/format.js'
import { api, filtered, useData } from '../client.js'
import { Chart } from '../parts/chart.js'
import { Filters } from '../parts/filters.js'
import { Records } from '../parts/records.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { route, setParams } from '../route.js'

const FIRST = 100

const LEVELS: Readonly<Record<string, string>> = {
  other: '--status-1',
  trace: '--status-1',
  debug: '--status-3',
  info: '--status-2',
  warn: '--status-4',
  error: '--error',
  fatal: '--status-5',
}

/** Log records, newest first, with and without a span. */
export function LogsScreen() {
  const { params } = route.value
  const [limit, setLimit] = useState(FIRST)
  const { data, error } = useData<LogList>(api('logs', params, { limit }), true)
  const lines = useMemo(
    () =>
      data?.series.levels.map(({ name, count: values }) => ({
        label: name,
        values,
        token: LEVELS[name] ?? '--status-1',
        bars: true,
        summary: count(values.reduce((a, b) => a + b, 0)),
      })) ?? [],
    [data],
  )
  return (
    <div class="page">
      <div class="page-head">
        <h1>Logs</h1>
        <Filters kind="logs" placeholder="Words, level>=17, key=value" />
      </div>
      {error !== null && <Failed error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && data.total === 0 && (
        <Empty title={filtered(params) ? 'No log record matches' : 'No logs yet'}>
          <p>
            {filtered(params)
              ? 'Remove a filter above to see more.'
              : 'Records that a program exports over OTLP to this viewer appear here, those of a span also with it.'}
          </p>
        </Empty>
      )}
      {data !== null && data.total > 0 && (
        <>
          <Chart
            title="Records by severity"
            times={data.series.times}
            step={data.series.step}
            lines={lines}
            format={count}
            stacked
            onSelect={(from, to) => setParams({ from: Math.floor(from), to: Math.ceil(to), last: undefined })}
          />
          <section class="panel" aria-labelledby="records-title">
            <header>
              <h2>Records</h2>
              <span class="muted">{count(data.total)}, newest first</span>
            </header>
            <Records logs={data.logs} />
            {data.total > data.logs.length && limit < 1000 && (
              <div class="more">
                <button type="button" onClick={() => setLimit(Math.min(1000, limit * 2))}>
                  Show more ({count(data.total - data.logs.length)} left)
                </button>
              </div>
            )}
          </section>
        </>
      )}
    </div>
  )
}
