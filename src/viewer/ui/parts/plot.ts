import uPlot from 'uplot'
import { clockAt } from '../clock.js'
import { colour } from '../theme.js'

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
  /** What the legend says of all values together; without it, the last one. */
  readonly summary?: string
}

interface Look {
  readonly format: (value: number) => string
  readonly stacked: boolean
  readonly isLog: boolean
  /** Width of a bucket, milliseconds. */
  readonly step: number
  /** The time that the axis shows, where it is another than that of the values. */
  readonly range: Span | undefined
  /** A time that is marked. */
  readonly mark: Span | undefined
}

/** From and to, milliseconds since the epoch. */
export type Span = readonly [number, number]

interface Hears {
  /** The place that the pointer is nearest to, and its distance from the left of the box; null when it has left. */
  readonly onCursor: (i: number | null, left: number) => void
  readonly onSelect: (from: number, to: number) => void
  readonly selects: boolean
}

/** Draws a chart into a box. */
export function draw(
  place: HTMLElement,
  times: readonly number[],
  lines: readonly Line[],
  look: Look,
  hears: Hears,
): uPlot {
  // What lies on top of the others is drawn first, and they over it.
  const drawn = look.stacked ? [...lines].reverse() : lines
  const chart = new uPlot(options(place, times, drawn, look, hears), data(times, drawn, look), place)
  // The pointer can leave while nothing moves.
  chart.over.addEventListener('mouseleave', () => hears.onCursor(null, 0))
  return chart
}

/** Bars on top of each other are as tall as all that is below them: the first is the tallest. */
function data(times: readonly number[], lines: readonly Line[], { stacked, isLog }: Look): uPlot.AlignedData {
  const columns: (number | null | undefined)[][] = lines.map(({ values }) =>
    isLog ? values.map((value) => (isNumber(value) && value <= 0 ? null : value)) : [...values],
  )
  if (stacked) {
    for (let line = columns.length - 2; line >= 0; line--) {
      const above = columns[line + 1]!
      columns[line] = columns[line]!.map((value, i) => (value ?? 0) + (above[i] ?? 0))
    }
  }
  return [times.map((time) => time / 1000), ...columns]
}

function options(
  place: HTMLElement,
  times: readonly number[],
  lines: readonly Line[],
  { format, isLog, step, range: shown, mark }: Look,
  { onCursor, onSelect, selects }: Hears,
): uPlot.Options {
  const grid = { stroke: colour('--line'), width: 1 }
  const font = `11px ${getComputedStyle(document.body).fontFamily}`
  const axis = { stroke: colour('--muted'), grid, ticks: { show: false }, font }
  const first = (shown?.[0] ?? times[0]!) / 1000
  const last = (shown?.[1] ?? times.at(-1)! + step) / 1000
  // One point alone stands in the middle of a minute.
  const range: [number, number] = last > first ? [first, last] : [first - 30, first + 30]
  return {
    width: place.clientWidth || 300,
    height: place.clientHeight || 150,
    // The last mark of the axis is centred on the edge.
    padding: [null, Math.ceil(widthOf('00:00:00.000', font) / 2), null, null],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: selects, y: false, setScale: false } },
    scales: {
      x: { range: () => range },
      y: isLog
        ? { distr: 3, range: (_chart, least, most) => powers(least, most) }
        : { range: (_chart, least, most) => around(least, most) },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 70,
        values: (_chart, marks, _axis, _space, between) => marks.map((mark) => clockAt(mark, between)),
      },
      {
        ...axis,
        ...(lines.every(({ bars }) => bars) && !isLog && { incrs: WHOLE }),
        size: 60,
        space: isLog ? 18 : 32,
        ...(isLog && {
          filter: (_chart: uPlot, marks: number[]) => marks.map((mark) => (isPower(mark) ? mark : null)),
        }),
        values: (_chart, marks) => marks.map((mark) => (mark === null ? '' : format(mark))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, values, token, bars, dash }): uPlot.Series => {
        const stroke = colour(token)
        const paths = bars ? { paths: uPlot.paths.bars!({ size: [0.86, 40], align: 1 }), fill: stroke } : {}
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
      ...(mark !== undefined && { drawClear: [(chart) => fill(chart, mark)] }),
      setCursor: [
        (chart) => {
          const { left = -1 } = chart.cursor
          if (left < 0) return
          const time = chart.posToVal(left, 'x') * 1000
          // A bucket is under the pointer from its start on; values of an instant are where they are nearest.
          const i = step > 0 ? Math.floor((time - times[0]!) / step) : chart.posToIdx(left)
          const shown = Math.max(0, Math.min(times.length - 1, i))
          onCursor(shown, left + chart.over.offsetLeft)
        },
      ],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select
          if (width < 4) return
          onSelect(chart.posToVal(left, 'x') * 1000, chart.posToVal(left + width, 'x') * 1000)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

/** Marks a time, however short it is. */
function fill(chart: uPlot, [from, to]: Span): void {
  const { ctx, bbox } = chart
  const at = (time: number) =>
    Math.max(bbox.left, Math.min(bbox.left + bbox.width, chart.valToPos(time / 1000, 'x', true)))
  const left = at(from)
  ctx.fillStyle = colour('--accent')
  ctx.globalAlpha = 0.25
  ctx.fillRect(left, bbox.top, Math.max(3 * devicePixelRatio, at(to) - left), bbox.height)
  ctx.globalAlpha = 1
}

/** Pixels that a text takes. */
function widthOf(text: string, font: string): number {
  const ctx = document.createElement('canvas').getContext('2d')!
  ctx.font = font
  return ctx.measureText(text).width
}

/** The range of values that shows all of them and zero. */
function around(least: number | null, most: number | null): [number, number] {
  const from = Math.min(0, least ?? 0) * 1.12
  const to = Math.max(0, most ?? 0) * 1.12
  return from === to ? [0, 1] : [from, to]
}

/** The powers of ten around all values. */
function powers(least: number | null, most: number | null): [number, number] {
  const from = 10 ** Math.floor(Math.log10(least || 1))
  return [from, Math.max(from * 10, 10 ** Math.ceil(Math.log10(most || 1)))]
}

function isPower(value: number): boolean {
  const power = Math.log10(value)
  return Math.abs(power - Math.round(power)) < 1e-6
}

/** Whether a value stands alone between gaps, where a line through it has no length. */
function scattered(values: Values): boolean {
  const known = values.filter((value) => value !== undefined)
  return known.some(
    (value, i) => value !== null && (known[i - 1] ?? null) === null && (known[i + 1] ?? null) === null,
  )
}

export function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number'
}

/** Steps of an axis of whole things: 1, 2, 5, 10, 20, ... */
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()
