import type { MetricRow } from '../../api.js'
import { api, filtersOf, useData } from '../client.js'
import { Filters } from '../parts/filters.js'
import { Metric } from '../parts/metric.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { href, route } from '../route.js'

/** Metrics that arrive, a chart each; one of them large when the address names it. */
export function MetricsScreen({ selected }: { selected: string | undefined }) {
  const { params } = route.value
  const { search: _, ...others } = params
  const { data, error } = useData<MetricRow[]>(api('metrics', others), true)
  const words = (params['search'] ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const rows = data?.filter(
    ({ name, description }) =>
      selected === name ||
      (selected === undefined &&
        words.every((word) => `${name} ${description}`.toLowerCase().includes(word))),
  )
  return (
    <div class="page">
      <div class="page-head">
        {selected !== undefined && (
          <>
            <a href={href(['metrics'], filtersOf(params))}>Metrics</a>
            <span class="muted" aria-hidden="true">
              /
            </span>
          </>
        )}
        <h1>{selected ?? 'Metrics'}</h1>
        <Filters kind="metrics" placeholder={selected === undefined ? 'Metric' : null} />
      </div>
      {error !== null && <Failed error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && data.length === 0 && (
        <Empty title="No metrics yet">
          <p>
            Metrics that a program exports over OTLP to this viewer are charted here: event loop delay, heap,
            queue lengths, and your own instruments.
          </p>
        </Empty>
      )}
      {data !== null && data.length > 0 && rows?.length === 0 && (
        <Empty title="No metric matches">
          <p>Search for another word.</p>
        </Empty>
      )}
      <div class={selected === undefined ? 'cards' : ''}>
        {rows?.map((row) => (
          <Metric key={row.name} row={row} params={params} large={selected !== undefined} />
        ))}
      </div>
    </div>
  )
}
