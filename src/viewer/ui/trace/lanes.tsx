import { percent, plural } from '../../model/format.js'
import {
  type Band,
  bandAt,
  DEEP_LANE,
  LANE_PADDING,
  PROCESS_HEIGHT,
  queueKey,
  spanAt,
  stickyHead,
} from '../../model/lane-layout.js'
import { paintLanes } from '../paint/lanes.js'
import { Board, type Face } from './board.js'
import { onLaneKey } from './lane-keys.js'
import type { TraceView } from './view.js'
import { inWords } from './words.js'

/** Threads against time: a band per process, a lane per thread, rows packed so that what runs in parallel is seen. */
export function LanesView({ view }: { view: TraceView }) {
  const { trace } = view
  const layout = view.layout.value
  const { lanes, row, ofThread } = view.lanes.value
  const selected = view.selected.value
  const shares = new Map(view.sum.value.threads.map(({ thread, share }) => [thread, share]))
  const bandOf = (span: number): number => layout.ofLane[ofThread[trace.thread[span]!]!]!

  const face: Face = {
    label: `Lanes of ${plural(lanes.length, 'thread')}`,
    titles: (
      <>
        <span class="grow">Thread</span>
        <span title="Share of the time in which a span of the thread was open and none of its children ran or waited in a queue">
          Active
        </span>
      </>
    ),
    height: layout.height,
    rowCount: layout.bands.length,
    active: selected >= 0 ? `thread-${trace.thread[selected]}` : undefined,
    place: (span) => {
      const band = layout.bands[bandOf(span)]!
      return [band.top + LANE_PADDING + row[span]! * band.row, Math.max(16, band.row)]
    },
    inset: PROCESS_HEIGHT,
    paint: paintLanes,
    hit: (time, y, tolerance) => hit(view, time, y, tolerance),
    onKey: (event) => onLaneKey(view, event),
    rows: (top, bottom) => {
      const shown: number[] = []
      const first = Math.max(0, bandAt(layout, top))
      for (let i = first; i < layout.bands.length && layout.bands[i]!.top < bottom; i++) shown.push(i)
      // The row under the cursor exists also while it is out of view: it is what a screen reader is on.
      if (selected >= 0 && !shown.includes(bandOf(selected))) shown.push(bandOf(selected))
      const sticky = stickyHead(layout, top)
      const rows = shown.map((i) => {
        const band = layout.bands[i]!
        if (i === sticky?.index) return null
        if (band.kind === 'process') return <ProcessRow key={i} view={view} band={band} index={i} />
        if (band.kind === 'queue') return <QueueRow key={i} view={view} band={band} index={i} />
        return <LaneRow key={i} view={view} band={band} index={i} shares={shares} />
      })
      // The head of what is in view stays in view.
      if (sticky !== null) {
        const band = { ...layout.bands[sticky.index]!, top: sticky.top }
        rows.push(<ProcessRow key="sticky" view={view} band={band} index={sticky.index} />)
      }
      return rows
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
}

const place = ({ top, height }: Band) => ({ transform: `translateY(${top}px)`, height: `${height}px` })

function ProcessRow({ view, band, index }: BandProps) {
  const process = view.trace.processes[band.process]
  return (
    <div
      role="row"
      class="lane-process"
      style={place(band)}
      aria-level={1}
      aria-rowindex={index + 2}
      aria-expanded={true}
    >
      <span role="gridcell" class="ellipsis" title={process?.label}>
        {process?.service ?? 'unknown process'}
      </span>
      <span role="gridcell" class="muted pid">
        {process === undefined || process.pid === null ? '' : `pid ${process.pid}`}
      </span>
    </div>
  )
}

function QueueRow({ view, band, index }: BandProps) {
  const { spans } = view.queues.value.queues[band.index]!
  return (
    <div
      role="row"
      class="lane-row"
      style={place(band)}
      aria-level={2}
      aria-rowindex={index + 2}
      aria-expanded={!band.folded}
      tabIndex={-1}
      onClick={() => view.foldThread(queueKey(band.process))}
      onKeyDown={() => undefined}
    >
      <span class="twisty" aria-hidden="true">
        {band.folded ? '▸' : '▾'}
      </span>
      <span class="swatch waiting" aria-hidden="true" />
      <span role="gridcell" class="tree-name" title="From submit to start: what waited for a thread">
        Waiting
        <span class="muted"> {plural(spans.length, 'task')}</span>
      </span>
      <span role="gridcell" />
    </div>
  )
}

function LaneRow({ view, band, index, shares }: BandProps & { shares: ReadonlyMap<number, number> }) {
  const { trace } = view
  const lane = view.lanes.value.lanes[band.index]!
  const { label, id } = trace.threads[lane.thread]!
  const share = shares.get(lane.thread) ?? 0
  const selected = view.selected.value
  const here = selected >= 0 && trace.thread[selected] === lane.thread
  const many = lane.rows > 1
  const deep = band.folded && lane.rows > DEEP_LANE
  return (
    <div
      id={`thread-${lane.thread}`}
      role="row"
      class={`lane-row${here ? ' selected' : ''}`}
      style={place(band)}
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
        <span class="muted">
          {' '}
          {plural(lane.spans.length, 'span')}
          {deep && `, ${lane.rows} at once`}
        </span>
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
  if (band === undefined || band.kind === 'process') return -1
  const { trace } = view
  const queues = view.queues.peek()
  const waits = band.kind === 'queue'
  const { rows, first, spans } = waits ? queues.queues[band.index]! : view.lanes.peek().lanes[band.index]!
  const row = Math.floor((y - band.top - LANE_PADDING) / band.row)
  if (row < 0 || row >= rows) return -1
  const times = waits ? { start: queues.submit, end: trace.start } : trace
  const found = spanAt(times, spans, first[row]!, first[row + 1]!, time, tolerance)
  if (found >= 0 || !band.folded) return found
  // A strip tells how many, not which row: whatever is there.
  for (let other = 0; other < rows; other++) {
    const span = spanAt(times, spans, first[other]!, first[other + 1]!, time, tolerance)
    if (span >= 0) return span
  }
  return -1
}
