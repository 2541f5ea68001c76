import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MetricRow, MetricSeries } from '../../api.js'
import { bytes, count, duration, percent, plural } from '../../model/format.js'
import { closeGaps } from '../../model/gaps.js'
import { api, filtersOf, useData } from '../client.js'
import { Chart } from '../parts/chart.js'
import { Filters } from '../parts/filters.js'
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
          <Metric key={row.name} row={row} large={selected !== undefined} />
        ))}
      </div>
    </div>
  )
}

const TOKENS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6']
const DASHES = [undefined, [6, 3], [2, 3], [8, 3, 2, 3], [4, 2], [1, 3]]

function Metric({ row, large }: { row: MetricRow; large: boolean }) {
  const box = useRef<HTMLElement>(null)
  const [seen, setSeen] = useState(large)
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setSeen(entry!.isIntersecting), {
      rootMargin: '200px',
    })
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  const { search: _, ...others } = route.value.params
  const url = seen ? api(`metrics/${encodeURIComponent(row.name)}`, others) : null
  const { data, error } = useData<MetricSeries>(url, true)
  const [kept, setKept] = useState<MetricSeries | null>(null)
  if (data !== null && data !== kept) setKept(data)
  const unit = kept?.unit ?? row.unit
  const lines = useMemo(
    () =>
      kept?.lines.slice(0, large ? kept.lines.length : TOKENS.length).map(({ label, values }, i) => {
        const dash = DASHES[(i + Math.floor(i / TOKENS.length)) % DASHES.length]
        return {
          label: label || row.name,
          values: closeGaps(kept.times, values),
          token: TOKENS[i % TOKENS.length]!,
          ...(dash && { dash }),
        }
      }) ?? [],
    [kept, row.name, large],
  )
  const format = useMemo(() => formatOf(unit), [unit])
  const hidden = (kept?.lines.length ?? 0) - lines.length
  return (
    <article ref={box} class={large ? 'large' : ''} aria-label={row.name}>
      {error !== null && <Failed error={error} />}
      <Chart title={row.name} log={row.name} times={kept?.times ?? null} lines={lines} format={format} />
      <p class="muted caption">
        {row.description || KINDS[row.kind]}
        {unit !== '' && unit !== '1' && ` · ${unit.replace(/[{}]/g, '')}`} · {row.services.join(', ')}
        {!large && (
          <>
            {' · '}
            <a href={href(['metrics', row.name], filtersOf(route.value.params))}>
              {hidden > 0 ? `${plural(hidden, 'more line')}, enlarge` : 'Enlarge'}
              <span class="sr-only"> {row.name}</span>
            </a>
          </>
        )}
      </p>
    </article>
  )
}

const KINDS: Readonly<Record<MetricRow['kind'], string>> = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponentialHistogram: 'exponential histogram',
  summary: 'summary',
}

/**
 * Units are those of UCUM, as OpenTelemetry's conventions write them: what is in braces is an annotation, `{request}`,
 * and stands for itself; `/s` at the end is a rate.
 */
function formatOf(unit: string): (value: number) => string {
  if (unit.endsWith('/s')) {
    const amount = formatOf(unit.slice(0, -2))
    return (value) => `${amount(value)}/s`
  }
  if (unit === 'By') return bytes
  if (unit === 's') return (value) => duration(value * 1e3)
  if (unit === 'ms') return duration
  if (unit === 'us') return (value) => duration(value / 1e3)
  if (unit === 'ns') return (value) => duration(value / 1e6)
  if (unit === '%') return (value) => percent(value / 100)
  if (unit === '1') return (value) => (Math.abs(value) <= 1 && value !== 0 ? percent(value) : count(value))
  const word = /^[^{}]*/.exec(unit)![0].slice(0, 12)
  return (value) => `${count(Math.round(value * 100) / 100)}${word === '' ? '' : ` ${word}`}`
}
