import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { clock } from '../clock.js'
import { recall, remember } from '../memory.js'
import { colours } from '../theme.js'
import { draw, isNumber, type Line, type Span } from './plot.js'

export type { Line } from './plot.js'

interface Props {
  readonly title: string
  /** Milliseconds since the epoch; null while they are on their way. */
  readonly times: readonly number[] | null
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  /** Bars on top of each other, the first at the bottom. */
  readonly stacked?: boolean
  /** Offers a logarithmic axis, and remembers the choice under this name. */
  readonly log?: string
  /** Width of a bucket, milliseconds; 0 for values of an instant. */
  readonly step?: number
  /** The time that the axis shows; without it, that of the values. */
  readonly range?: Span | undefined
  /** A time that is marked. */
  readonly mark?: Span | undefined
  /** What dragging over the chart selects, milliseconds since the epoch. */
  readonly onSelect?: (from: number, to: number) => void
}

/** A chart over time. Its values are read with the pointer or the arrow keys, and are in words for those who do not see it. */
export function Chart(props: Props) {
  const { title, times, lines, format, stacked = false, log, step = 0, range, mark, onSelect } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const select = useRef(onSelect)
  select.current = onSelect
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [isLog, setLog] = useState(log !== undefined && recall(`log.${log}`) === 'on')
  const [at, setAt] = useState<{ i: number; left: number } | null>(null)
  /** Where a selection from the keyboard began. */
  const anchor = useRef<number | null>(null)
  const theme = colours.value
  const shown = useMemo(() => lines.filter(({ label }) => !hidden.has(label)), [lines, hidden])
  const empty = times === null || times.length === 0

  useEffect(() => {
    const place = box.current
    if (place === null || times === null || times.length === 0) return
    const chart = draw(
      place,
      times,
      shown,
      { format, stacked, isLog, step, range, mark },
      {
        onCursor: (i, left) => setAt(i === null ? null : { i, left }),
        onSelect: (from, to) => select.current?.(from, to),
        selects: onSelect !== undefined,
      },
    )
    plot.current = chart
    const observer = new ResizeObserver(() => {
      if (place.clientWidth > 0) chart.setSize({ width: place.clientWidth, height: place.clientHeight })
    })
    observer.observe(place)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = null
    }
  }, [times, shown, theme, isLog, range?.[0], range?.[1], mark?.[0], mark?.[1]])

  const point = (i: number): void => {
    const chart = plot.current
    if (chart === null || times === null) return
    const left = chart.valToPos(times[i]! / 1000, 'x')
    chart.setCursor({ left, top: 1 }, false)
    setAt({ i, left })
    const from = anchor.current
    if (from === null) return
    const x = (place: number) => chart.valToPos((times[place]! + step / 2) / 1000, 'x')
    const [a, b] = [x(Math.min(from, i)), x(Math.max(from, i))]
    chart.setSelect(
      { left: a, width: Math.max(2, b - a), top: 0, height: chart.bbox.height / devicePixelRatio },
      false,
    )
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (times === null || event.ctrlKey || event.metaKey || event.altKey) return
    const last = times.length - 1
    const i = Math.min(last, at?.i ?? last)
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: last }[event.key]
    if (to !== undefined) {
      if (onSelect !== undefined && event.shiftKey) anchor.current ??= i
      else clear()
      point(Math.max(0, Math.min(last, to)))
    } else if (event.key === 'Enter' && onSelect !== undefined) {
      const from = anchor.current ?? i
      const width = step || (times[1] ?? times[0]! + 1000) - times[0]!
      clear()
      onSelect(times[Math.min(from, i)]!, times[Math.max(from, i)]! + width - 1)
    } else if (event.key === 'Escape' && anchor.current !== null) clear()
    else return
    event.preventDefault()
  }
  const clear = (): void => {
    anchor.current = null
    plot.current?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  }
  const i = at === null || times === null ? undefined : Math.min(at.i, times.length - 1)
  const when = (i: number) => `${clock(times![i]!)}${step > 0 ? ` to ${clock(times![i]! + step)}` : ''}`
  const read = (i: number) =>
    shown.map(({ label, values }) => ({
      label,
      value: values[i],
      text: isNumber(values[i]) ? format(values[i]) : '–',
    }))

  return (
    <figure class="panel">
      <header>
        <figcaption class="title">
          <h2 title={title}>{title}</h2>
        </figcaption>
        {log !== undefined && (
          <button
            type="button"
            class="small"
            aria-pressed={isLog}
            onClick={() => {
              setLog(!isLog)
              remember(`log.${log}`, isLog ? 'off' : 'on')
            }}
          >
            Log
          </button>
        )}
      </header>
      {lines.length > 0 && (
        <fieldset class="legend" aria-label={`Lines of ${title}`}>
          {lines.map(({ label, token, dash, summary, values }) => {
            const last = values.findLast(isNumber)
            const text = summary ?? (last === undefined ? '–' : format(last))
            return (
              <button
                key={label}
                type="button"
                class="plain"
                aria-pressed={!hidden.has(label)}
                title={`${label}: ${text}. Show or hide it`}
                onClick={() => {
                  const next = new Set(hidden)
                  if (!next.delete(label)) next.add(label)
                  setHidden(next)
                }}
              >
                <i class={dash === undefined ? '' : 'dashed'} style={{ '--line': `var(${token})` }} />
                <span>{label}</span> <b>{text}</b>
              </button>
            )
          })}
        </fieldset>
      )}
      <div class="chart">
        {empty ? (
          <p class="plot none muted">{times === null ? 'Loading…' : 'Nothing in this time'}</p>
        ) : (
          <div
            class="plot"
            ref={box}
            role="slider"
            tabIndex={0}
            aria-label={`${title}: arrows read it${onSelect === undefined ? '' : ', Shift with arrows and Enter select a time'}`}
            aria-valuemin={0}
            aria-valuemax={times.length - 1}
            aria-valuenow={i ?? times.length - 1}
            aria-valuetext={
              i === undefined
                ? 'no time picked'
                : `${when(i)}: ${read(i)
                    .map(({ label, text }) => `${label} ${text}`)
                    .join(', ')}`
            }
            onKeyDown={onKeyDown}
            onBlur={() => {
              clear()
              setAt(null)
            }}
          >
            {i !== undefined && (
              <div
                class={`readout${at!.left > (box.current?.clientWidth ?? 0) / 2 ? ' left' : ''}`}
                style={{ '--at': `${at!.left}px` }}
              >
                <div class="muted">{when(i)}</div>
                {read(i)
                  .filter(({ value }) => value !== undefined)
                  .slice(0, 12)
                  .map(({ label, text }) => (
                    <div key={label}>
                      <span>{label}</span> <b>{text}</b>
                    </div>
                  ))}
              </div>
            )}
          </div>
        )}
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
