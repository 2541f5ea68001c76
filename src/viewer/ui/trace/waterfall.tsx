import { duration, plural } from '../../model/format.js'
import { sumOf } from '../../model/siblings.js'
import { CLOSED, CYCLE, ERROR, nameOf, ORPHAN, serviceOf } from '../../model/trace.js'
import { paintWaterfall } from '../paint/waterfall.js'
import { Board, type Face } from './board.js'
import { treeWidth } from './splitter.js'
import { ROW, type TraceView } from './view.js'
import { onWaterfallKey } from './waterfall-keys.js'
import { inWords } from './words.js'

/** Pixels by which a level is indented where there is room, and at least; and those left to a name and its duration. */
const INDENT = 13
const LEAST_INDENT = 3
const NAME_ROOM = 190

/** How far rows are indented. */
interface Indent {
  /** Depth of what stands at the left edge: where rows are deep, those in view are told apart, not all. */
  readonly base: number
  readonly step: number
}

/** The tree of spans against time. */
export function Waterfall({ view }: { view: TraceView }) {
  const rows = view.rows.value
  const rowOf = view.rowOf.value
  const selected = view.selected.value
  const face: Face = {
    label: `Waterfall of ${plural(view.trace.size, 'span')}`,
    titles: (
      <>
        <span class="grow">Span</span>
        <span>Duration</span>
      </>
    ),
    height: rows.length * ROW,
    rowCount: rows.length,
    active: selected >= 0 && rowOf[selected]! >= 0 ? `span-${selected}` : undefined,
    place: (span) => (rowOf[span]! < 0 ? null : [rowOf[span]! * ROW, ROW]),
    paint: paintWaterfall,
    hit: (_time, y) => rows[Math.floor(y / ROW)] ?? -1,
    onKey: (event) => onWaterfallKey(view, event),
    rows: (top, bottom) => {
      const first = Math.max(0, Math.floor(top / ROW))
      const last = Math.min(rows.length, Math.ceil(bottom / ROW))
      const indent = indentOf(view, rows.subarray(first, last))
      const out = []
      for (let row = first; row < last; row++)
        out.push(<Row key={row % 256} view={view} row={row} span={rows[row]!} indent={indent} />)
      // The row under the cursor exists also while it is out of view: it is what a screen reader is on.
      const away = selected >= 0 ? rowOf[selected]! : -1
      if (away >= 0 && (away < first || away >= last)) {
        out.push(<Row key="away" view={view} row={away} span={selected} indent={indent} />)
      }
      return out
    },
  }
  return <Board view={view} face={face} />
}

/** The indent of the rows in view: as usual while all levels have room, else less and from the shallowest of them on. */
function indentOf({ trace }: TraceView, shown: Int32Array): Indent {
  const { depth } = trace.tree
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const span of shown) {
    least = Math.min(least, depth[span]!)
    most = Math.max(most, depth[span]!)
  }
  const room = Math.max(40, treeWidth.value - NAME_ROOM)
  if (most * INDENT <= room) return { base: 0, step: INDENT }
  const base = Math.max(0, Math.min(least, most) - 1)
  return { base, step: Math.max(LEAST_INDENT, Math.min(INDENT, room / Math.max(1, most - base))) }
}

interface RowProps {
  readonly view: TraceView
  readonly row: number
  readonly span: number
  readonly indent: Indent
}

function Row({ view, row, span, indent: { base, step } }: RowProps) {
  const { trace } = view
  const { tree } = trace
  const flags = trace.flags[span]!
  const parent = tree.below[span]! > 0
  const folded = view.folded.value[span] === 1
  const run = view.siblings.value.runs.get(span)
  const open = run !== undefined && view.opened.value.has(span)
  const together = run !== undefined && !open
  const selected = view.selected.value === span
  const mask = view.matched.value
  const dim = mask !== null && mask[span] !== 1 && !(together && run.some((each) => mask[each] === 1))
  const service = serviceOf(trace, span)
  const several = view.services.length > 1
  const above = tree.up[span]!
  const enters = several && (above < 0 || serviceOf(trace, above) !== service)
  const sum = together ? sumOf(trace, run) : undefined
  return (
    <div
      id={`span-${span}`}
      role="row"
      class={`tree-row${selected ? ' selected' : ''}${dim ? ' dim' : ''}`}
      style={{
        transform: `translateY(${row * ROW}px)`,
        paddingLeft: `${6 + Math.max(0, tree.depth[span]! - base) * step}px`,
      }}
      aria-level={tree.depth[span]! + 1}
      aria-rowindex={row + 2}
      aria-expanded={run !== undefined ? open : parent ? !folded : undefined}
      aria-selected={selected}
      tabIndex={-1}
      onClick={(event) => {
        if ((event.target as Element).closest('.twisty') === null) view.select(span, true)
        else if (run !== undefined) view.openRun(span, !open)
        else view.fold(span)
      }}
      onKeyDown={() => undefined}
      onPointerEnter={() => {
        view.hovered.value = -1
      }}
    >
      {several && (
        <i
          class="stripe"
          style={{ background: `var(--hue-${view.serviceHues.value[trace.thread[span]!]})` }}
          aria-hidden="true"
        />
      )}
      {base > 0 && <span class="muted depth">{tree.depth[span]! + 1}</span>}
      <span class="twisty" aria-hidden="true">
        {run !== undefined ? (open ? '▾' : '▸') : parent ? (folded ? '▸' : '▾') : ''}
      </span>
      <span class="swatch" style={{ background: `var(--hue-${view.hues.value[span]})` }} aria-hidden="true" />
      <span role="gridcell" class="tree-name">
        {enters && <span class="muted service">{service} </span>}
        {nameOf(trace, span).slice(0, 300)}
        {folded && <span class="muted"> +{tree.below[span]}</span>}
        <span class="sr-only">{inWords(trace, span).slice(nameOf(trace, span).length, 2000)}</span>
      </span>
      {run !== undefined && (
        <span class="badge" title={`${run.length} siblings of this name, ${open ? 'open' : 'as one row'}`}>
          ×{run.length}
        </span>
      )}
      {sum !== undefined && sum.failed > 0 && <span class="badge bad">{sum.failed} failed</span>}
      <Marks flags={sum === undefined ? flags : 0} />
      <span role="gridcell" class={`tree-time${(flags & ERROR) !== 0 ? ' error-text' : ''}`}>
        {duration(sum?.total ?? trace.end[span]! - trace.start[span]!)}
      </span>
    </div>
  )
}

/** Small signs for what is out of order; the words are in the row's text. */
function Marks({ flags }: { flags: number }) {
  if ((flags & (ERROR | CLOSED | ORPHAN | CYCLE)) === 0) return null
  return (
    <span class="marks" aria-hidden="true">
      {(flags & CLOSED) !== 0 && <span class="badge bad">died</span>}
      {(flags & ERROR) !== 0 && (flags & CLOSED) === 0 && <span class="badge bad">!</span>}
      {(flags & ORPHAN) !== 0 && <span class="badge late">orphan</span>}
      {(flags & CYCLE) !== 0 && <span class="badge late">cycle</span>}
    </span>
  )
}
