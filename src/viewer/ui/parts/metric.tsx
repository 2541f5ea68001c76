import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MetricRow, MetricSeries } from '../../api.js'
import { bytes, count, duration, percent, plural } from '../../model/format.js'
import { closeGaps } from '../../model/gaps.js'
import { api, filtersOf, useData } from '../client.js'
import { href } from '../route.js'
import { Chart } from './chart.js'
import type { Span } from './plot.js'
import { Failed } from './states.js'

const TOKENS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6']
const DASHES = [undefined, [6, 3], [2, 3], [8, 3, 2, 3], [4, 2], [1, 3]]

interface Props {
  readonly row: MetricRow
  /** The filter, as parameters of an address. */
  readonly params: Readonly<Record<string, string>>
  /** The thread whose values are shown, by `thread.id`; without it those of all. */
  readonly thread?: string | undefined
  /** A time that is marked. */
  readonly mark?: Span | undefined
  /** With all its lines. */
  readonly large?: boolean
}

/** The chart of a metric, which asks for its values once it is in sight. */
export function Metric({ row, params, thread, mark, large = false }: Props) {
  const box = useRef<HTMLElement>(null)
  const [seen, setSeen] = useState(large)
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setSeen(entry!.isIntersecting), {
      rootMargin: '200px',
    })
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  const { search: _, ...others } = params
  const url = seen ? api(`metrics/${encodeURIComponent(row.name)}`, others, { thread }) : null
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
      <Chart
        title={row.name}
        log={row.name}
        times={kept?.times ?? null}
        lines={lines}
        format={format}
        range={rangeOf(params)}
        mark={mark}
      />
      <p class="muted caption">
        {row.description || KINDS[row.kind]}
        {unit !== '' && unit !== '1' && ` · ${unit.replace(/[{}]/g, '')}`} · {row.services.join(', ')}
        {(kept?.shared ?? '') !== '' && ` · ${kept!.shared}`}
        {!large && (
          <>
            {' · '}
            <a href={href(['metrics', row.name], filtersOf(params))}>
              {hidden > 0 ? `${plural(hidden, 'more line')}, enlarge` : 'Enlarge'}
              <span class="sr-only"> {row.name}</span>
            </a>
          </>
        )}
      </p>
    </article>
  )
}

/** The time that a filter names, where it names both ends. */
function rangeOf({ from, to }: Readonly<Record<string, string>>): Span | undefined {
  const range = [Number(from), Number(to)] as const
  return range[0] < range[1] ? range : undefined
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
