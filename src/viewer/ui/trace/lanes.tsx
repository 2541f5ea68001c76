import { percent, plural } from '../../model/format.js'
import { type Band, bandAt, LANE_PADDING, spanAt } from '../../model/lane-layout.js'
import { paintLanes } from '../paint/lanes.js'
import { Board, type Face } from './board.js'
import type { TraceView } from './view.js'
import { inWords } from './words.js'

/** Threads against time: a band per process, a lane per thread, rows packed so that what runs in parallel is seen. */
export function LanesView({ view }: { view: TraceView }) {
  const { trace } = view
  const layout = view.layout.value
  const { lanes, row, ofThread } = view.lanes.value
  const selected = view.selected.value
  const shares = new Map(view.sum.value.threads.map(({ thread, share }) => [thread, share]))

  const place = (span: number): readonly [number, number] => {
    const band = layout.bands[layout.ofLane[ofThread[trace.thread[span]!]!]!]!
    return [band.top + LANE_PADDING + row[span]! * band.row, Math.max(16, band.row)]
  }
  const face: Face = {
    label: `Lanes of ${plural(lanes.length, 'thread')}`,
    titles: (
      <>
        <span class="grow">Thread</span>
        <span>At work</span>
      </>
    ),
    height: layout.height,
    rowCount: layout.bands.length,
    active: selected >= 0 ? `thread-${trace.thread[selected]}` : undefined,
    place,
    paint: paintLanes,
    hit: (time, y, tolerance) => hit(view, time, y, tolerance),
    onKey: (event) => onKey(view, event),
    rows: (top, bottom) => {
      const out = []
      const first = Math.max(0, bandAt(layout, top))
      let active = false
      for (let i = first; i < layout.bands.length && layout.bands[i]!.top < bottom; i++) {
        const band = layout.bands[i]!
        active ||= band.lane >= 0 && selected >= 0 && lanes[band.lane]!.thread === trace.thread[selected]
        out.push(<BandRow key={i} view={view} band={band} index={i} shares={shares} />)
      }
      if (selected >= 0 && !active) {
        const i = layout.ofLane[ofThread[trace.thread[selected]!]!]!
        out.push(<BandRow key={i} view={view} band={layout.bands[i]!} index={i} shares={shares} />)
      }
      return out
    },
  }
  return (
    <>
      <Board view={view} face={face} />
      <div class="sr-only" role="status">
        {selected >= 0 ? inWords(trace, selected) : ''}
      </div>
    </>
  )
}

interface BandProps {
  readonly view: TraceView
  readonly band: Band
  readonly index: number
  readonly shares: ReadonlyMap<number, number>
}

function BandRow({ view, band, index, shares }: BandProps) {
  const { trace } = view
  const style = { transform: `translateY(${band.top}px)`, height: `${band.height}px` }
  if (band.lane < 0) {
    const process = trace.processes[band.process]
    return (
      <div
        role="row"
        class="lane-process"
        style={style}
        aria-level={1}
        aria-rowindex={index + 2}
        aria-expanded={true}
      >
        <span role="gridcell" class="ellipsis">
          {process?.label ?? 'unknown process'}
        </span>
        <span role="gridcell" class="muted">
          {process?.pid === null || process === undefined ? '' : `pid ${process.pid}`}
        </span>
      </div>
    )
  }
  const lane = view.lanes.value.lanes[band.lane]!
  const { label, id } = trace.threads[lane.thread]!
  const share = shares.get(lane.thread) ?? 0
  const selected = view.selected.value
  const here = selected >= 0 && trace.thread[selected] === lane.thread
  const many = lane.rows > 1
  return (
    <div
      id={`thread-${lane.thread}`}
      role="row"
      class={`lane-row${here ? ' selected' : ''}`}
      style={style}
      aria-level={2}
      aria-rowindex={index + 2}
      aria-expanded={many ? !band.folded : undefined}
      aria-selected={here}
      tabIndex={-1}
      onClick={() => many && view.foldThread(lane.thread)}
      onKeyDown={() => undefined}
    >
      <span class="twisty" aria-hidden="true">
        {many ? (band.folded ? '▸' : '▾') : ''}
      </span>
      <span
        class="swatch"
        style={{ background: `var(--hue-${view.threadHues.value[lane.thread]})` }}
        aria-hidden="true"
      />
      <span role="gridcell" class="tree-name" title={id === null ? label : `${label}, thread.id ${id}`}>
        {label}
        <span class="muted"> {plural(lane.spans.length, 'span')}</span>
        {here && <span class="sr-only">. Cursor on {inWords(trace, selected)}</span>}
      </span>
      <span role="gridcell" class={`tree-time${share < 0.1 ? ' muted' : ''}`}>
        {percent(share)}
      </span>
      <i class="share" style={{ transform: `scaleX(${share})` }} aria-hidden="true" />
    </div>
  )
}

function hit(view: TraceView, time: number, y: number, tolerance: number): number {
  const layout = view.layout.peek()
  const band = layout.bands[bandAt(layout, y)]
  if (band === undefined || band.lane < 0) return -1
  const lane = view.lanes.peek().lanes[band.lane]!
  const row = Math.floor((y - band.top - LANE_PADDING) / band.row)
  if (row < 0 || row >= lane.rows) return -1
  return spanAt(view.trace, lane.spans, lane.first[row]!, lane.first[row + 1]!, time, tolerance)
}

/** Left and right go along a row of a lane, up and down to the nearest span of the next row or lane. */
function onKey(view: TraceView, event: KeyboardEvent): boolean {
  const { lanes, row, ofThread } = view.lanes.peek()
  if (lanes.length === 0) return false
  const span = view.selected.peek()
  const { trace } = view
  if (event.key === 'Enter') {
    if (span >= 0) view.select(span, true)
    return true
  }
  if (event.key === ' ') {
    if (span >= 0) view.foldThread(trace.thread[span]!)
    return true
  }
  const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1, Home: 0, End: 0 }[event.key]
  if (step === undefined) return false
  if (span < 0 || event.key === 'Home') {
    view.select(lanes[0]!.spans[0]!)
    return true
  }
  if (event.key === 'End') {
    view.select(lanes.at(-1)!.spans.at(-1)!)
    return true
  }
  const laneIndex = ofThread[trace.thread[span]!]!
  const lane = lanes[laneIndex]!
  if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
    const [low, high] = [lane.first[row[span]!]!, lane.first[row[span]! + 1]!]
    const at = lane.spans.indexOf(span, low) + step
    if (at >= low && at < high) view.select(lane.spans[at]!)
    return true
  }
  const next = row[span]! + step
  const inLane = next >= 0 && next < lane.rows
  const target = inLane ? lane : lanes[laneIndex + step]
  if (target === undefined) return true
  const to = inLane ? next : step > 0 ? 0 : target.rows - 1
  const [low, high] = [target.first[to]!, target.first[to + 1]!]
  view.select(spanAt(trace, target.spans, low, high, trace.start[span]!, Number.POSITIVE_INFINITY))
  return true
}
