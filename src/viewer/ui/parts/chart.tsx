import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { colour, colours } from '../theme.js'

type Values = readonly (number | null | undefined)[]

export interface Line {
  readonly label: string
  /** null breaks the line, undefined is drawn through. */
  readonly values: Values
  /** A colour token, `--line-1`. */
  readonly token: string
  /** Bars that fill up to the value, instead of a line. */
  readonly bars?: boolean
  readonly dash?: readonly number[]
}

interface Props {
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  /** What dragging over the chart selects, milliseconds since the epoch. */
  readonly onSelect?: (from: number, to: number) => void
}

/** A chart over time; its figures are in words beside it for those who do not see it. */
export function Chart({ title, times, lines, format, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const select = useRef(onSelect)
  select.current = onSelect
  const theme = colours.value

  useEffect(() => {
    const place = box.current
    if (place === null) return
    const chart = new uPlot(options(place, lines, format, select), data(times, lines), place)
    const observer = new ResizeObserver(() => {
      if (place.clientWidth > 0) chart.setSize({ width: place.clientWidth, height: place.clientHeight })
    })
    observer.observe(place)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [times, lines, theme])

  return (
    <figure class="panel">
      <header>
        <figcaption class="title">
          <h2>{title}</h2>
        </figcaption>
        <div class="legend">
          {lines.map(({ label, token, values }) => {
            const last = values.findLast(isNumber)
            return (
              <span key={label}>
                <i style={{ background: `var(${token})` }} />
                {label} <b>{last === undefined ? '–' : format(last)}</b>
              </span>
            )
          })}
        </div>
      </header>
      <div class="chart">
        <div class="plot" ref={box} aria-hidden="true" />
      </div>
      <p class="sr-only">{lines.map((line) => inWords(line, format)).join(' ')}</p>
    </figure>
  )
}

function inWords({ label, values }: Line, format: (value: number) => string): string {
  const known = values.filter(isNumber)
  if (known.length === 0) return `${label}: no values.`
  const least = known.reduce((a, b) => Math.min(a, b))
  const most = known.reduce((a, b) => Math.max(a, b))
  return `${label}: from ${format(least)} to ${format(most)}, last ${format(known.at(-1)!)}.`
}

function data(times: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [times.map((time) => time / 1000), ...lines.map(({ values }) => [...values])]
}

function options(
  place: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
  select: { readonly current: Props['onSelect'] },
): uPlot.Options {
  const muted = colour('--muted')
  const grid = { stroke: colour('--line'), width: 1 }
  const font = `11px ${getComputedStyle(document.body).fontFamily}`
  const axis = { stroke: muted, grid, ticks: { show: false }, font }
  return {
    width: place.clientWidth || 300,
    height: place.clientHeight || 150,
    // The last mark of the axis is centred on the edge.
    padding: [null, 30, null, null],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { y: { range: (_chart, least, most) => around(least, most) } },
    axes: [
      {
        ...axis,
        size: 22,
        space: 70,
        values: (_chart, marks, _axis, _space, step) => marks.map((mark) => clockAt(mark, step)),
      },
      {
        ...axis,
        ...(lines.every(({ bars }) => bars) && { incrs: WHOLE }),
        size: 60,
        space: 32,
        values: (_chart, marks) => marks.map((mark) => format(mark)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, values, token, bars, dash }): uPlot.Series => {
        const stroke = colour(token)
        const paths = bars ? { paths: uPlot.paths.bars!({ size: [0.86, 40] }), fill: stroke } : {}
        return {
          label,
          stroke,
          width: bars ? 0 : 1.5,
          points: { show: !bars && scattered(values), size: 4, fill: stroke },
          ...(dash && { dash: [...dash] }),
          ...paths,
        }
      }),
    ],
    hooks: {
      setSelect: [
        (chart) => {
          const { left, width } = chart.select
          if (width < 4) return
          select.current?.(chart.posToVal(left, 'x') * 1000, chart.posToVal(left + width, 'x') * 1000)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

/** The local time of a mark on the axis, as exact as the distance between marks asks for; both in seconds. */
function clockAt(mark: number, step: number): string {
  const date = new Date(mark * 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (step >= 86_400) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  if (step >= 60) return time
  const seconds = `${time}:${two(date.getSeconds())}`
  if (step >= 1) return seconds
  const places = Math.min(3, Math.ceil(-Math.log10(step) - 1e-9))
  return `${seconds}.${String(date.getMilliseconds()).padStart(3, '0').slice(0, places)}`
}

/** The range of values that shows all of them and zero. */
function around(least: number | null, most: number | null): [number, number] {
  const from = Math.min(0, least ?? 0) * 1.12
  const to = Math.max(0, most ?? 0) * 1.12
  return from === to ? [0, 1] : [from, to]
}

/** Whether a value stands alone between gaps, where a line through it has no length. */
function scattered(values: Values): boolean {
  const known = values.filter((value) => value !== undefined)
  return known.some(
    (value, i) => value !== null && (known[i - 1] ?? null) === null && (known[i + 1] ?? null) === null,
  )
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number'
}

/** Steps of an axis of whole things: 1, 2, 5, 10, 20, ... */
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()
