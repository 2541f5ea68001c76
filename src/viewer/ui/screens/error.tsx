import { useMemo, useState } from 'preact/hooks'
import type { ErrorDetail } from '../../api.js'
import { count, mark } from '../../model/format.js'
import { api, filtersOf, useData } from '../client.js'
import { clock } from '../clock.js'
import { Chart } from '../parts/chart.js'
import { Stack } from '../parts/stack.js'
import { Failed, Loading } from '../parts/states.js'
import { href, route } from '../route.js'

/** One group of errors: when it occurred, and each occurrence with its frames and its place in a trace. */
export function ErrorScreen({ fingerprint }: { fingerprint: string }) {
  const { params } = route.value
  const { data, error } = useData<ErrorDetail>(api(`errors/${encodeURIComponent(fingerprint)}`, params), true)
  const [at, setAt] = useState(0)
  const lines = useMemo(
    () => [
      {
        label: 'occurrences',
        values: data?.series.count ?? [],
        token: '--error',
        bars: true,
        summary: count(data?.count ?? 0),
      },
    ],
    [data],
  )
  if (error !== null) {
    return (
      <div class="page">
        <Failed error={error} />
        <p>
          It may have left with its traces, or a filter leaves it out:{' '}
          <a href={href(['errors'])}>all errors</a>.
        </p>
      </div>
    )
  }
  if (data === null) return <Loading />
  const shown = data.occurrences[Math.min(at, data.occurrences.length - 1)]
  return (
    <div class="page">
      <div class="page-head">
        <a href={href(['errors'], filtersOf(params))}>Errors</a>
        <span class="muted" aria-hidden="true">
          /
        </span>
        <h1>{data.type || 'Error'}</h1>
      </div>
      <pre>{data.message}</pre>
      <dl class="tiles">
        <Tile name="Count" value={count(data.count)} />
        <Tile name="First seen" value={clock(data.first)} />
        <Tile name="Last seen" value={clock(data.last)} />
        <Tile name="Where" value={data.culprit || '–'} />
        <Tile name="Services" value={data.services.join(', ') || '–'} />
        <Tile name="Transactions" value={data.transactions.join(', ') || '–'} />
      </dl>
      <Chart
        title={`Occurrences per ${mark(data.series.step, data.series.step)}`}
        times={data.series.times}
        step={data.series.step}
        lines={lines}
        format={count}
      />
      {shown !== undefined && (
        <section class="panel" aria-labelledby="occurrence-title">
          <header>
            <h2 id="occurrence-title">
              Occurrence {at + 1} of {data.occurrences.length < data.count && 'the latest '}
              {data.occurrences.length}
            </h2>
            <button type="button" disabled={at === 0} onClick={() => setAt(at - 1)}>
              Newer
            </button>
            <button type="button" disabled={at >= data.occurrences.length - 1} onClick={() => setAt(at + 1)}>
              Older
            </button>
            <span class="muted grow">
              {clock(shown.time)} in {shown.transaction || 'no transaction'} ({shown.service})
            </span>
            <a
              class="button"
              href={href(['trace', shown.traceId], { ...filtersOf(params), span: shown.spanId })}
            >
              Open its trace
            </a>
          </header>
          <div class="occurrence">
            {shown.closed !== null && (
              <p class="notice bad">
                The span was still open when its thread or process died: {shown.closed}
              </p>
            )}
            <pre class="error-text">{shown.message}</pre>
            <Stack frames={shown.stack} />
          </div>
        </section>
      )}
    </div>
  )
}

function Tile({ name, value }: { name: string; value: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
