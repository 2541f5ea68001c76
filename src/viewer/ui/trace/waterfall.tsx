import { duration, plural } from '../../model/format.js'
import { CLOSED, CYCLE, ERROR, nameOf, ORPHAN } from '../../model/trace.js'
import { paintWaterfall } from '../paint/waterfall.js'
import { Board, type Face } from './board.js'
import { treeWidth } from './splitter.js'
import { ROW, type TraceView } from './view.js'
import { inWords } from './words.js'

/** Pixels by which a level is indented, and those that are left to a name and its duration however deep it is. */
const INDENT = 13
const NAME_ROOM = 190

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
    onKey: (event) => onKey(view, event),
    rows: (top, bottom) => {
      const first = Math.max(0, Math.floor(top / ROW))
      const last = Math.min(rows.length, Math.ceil(bottom / ROW))
      const out = []
      for (let row = first; row < last; row++)
        out.push(<Row key={row % 256} view={view} row={row} span={rows[row]!} />)
      // The row under the cursor exists also while it is out of view: it is what a screen reader is on.
      const away = selected >= 0 ? rowOf[selected]! : -1
      if (away >= 0 && (away < first || away >= last)) {
        out.push(<Row key="away" view={view} row={away} span={selected} />)
      }
      return out
    },
  }
  return <Board view={view} face={face} />
}

function Row({ view, row, span }: { view: TraceView; row: number; span: number }) {
  const { trace } = view
  const { tree } = trace
  const flags = trace.flags[span]!
  const parent = tree.below[span]! > 0
  const folded = view.folded.value[span] === 1
  const selected = view.selected.value === span
  const mask = view.matched.value
  const dim = mask !== null && mask[span] !== 1
  return (
    <div
      id={`span-${span}`}
      role="row"
      class={`tree-row${selected ? ' selected' : ''}${dim ? ' dim' : ''}`}
      style={{
        transform: `translateY(${row * ROW}px)`,
        paddingLeft: `${6 + Math.min(treeWidth.value - NAME_ROOM, tree.depth[span]! * INDENT)}px`,
      }}
      aria-level={tree.depth[span]! + 1}
      aria-rowindex={row + 2}
      aria-expanded={parent ? !folded : undefined}
      aria-selected={selected}
      tabIndex={-1}
      onClick={(event) => {
        if ((event.target as Element).closest('.twisty') !== null) view.fold(span)
        else view.select(span, true)
      }}
      onKeyDown={() => undefined}
      onPointerEnter={() => {
        view.hovered.value = -1
      }}
    >
      <span class="twisty" aria-hidden="true">
        {parent ? (folded ? '▸' : '▾') : ''}
      </span>
      <span class="swatch" style={{ background: `var(--hue-${view.hues.value[span]})` }} aria-hidden="true" />
      <span role="gridcell" class="tree-name">
        {nameOf(trace, span).slice(0, 300)}
        {folded && <span class="muted"> +{tree.below[span]}</span>}
        <span class="sr-only">{inWords(trace, span).slice(nameOf(trace, span).length, 2000)}</span>
      </span>
      <Marks flags={flags} />
      <span role="gridcell" class={`tree-time${(flags & ERROR) !== 0 ? ' error-text' : ''}`}>
        {duration(trace.end[span]! - trace.start[span]!)}
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

/** The keys of a tree grid (ARIA Authoring Practices): arrows, Home, End, Page keys, Enter. */
function onKey(view: TraceView, event: KeyboardEvent): boolean {
  const rows = view.rows.peek()
  if (rows.length === 0) return false
  const span = view.selected.peek()
  const row = span < 0 ? -1 : view.rowOf.peek()[span]!
  const { tree } = view.trace
  const page = Math.max(1, Math.floor((event.currentTarget as HTMLElement).clientHeight / ROW) - 1)
  const go = (to: number): void => view.select(rows[Math.max(0, Math.min(rows.length - 1, to))]!)
  const parent = span >= 0 && tree.below[span]! > 0
  const folded = span >= 0 && view.folded.peek()[span] === 1
  switch (event.key) {
    case 'ArrowDown':
      go(row + 1)
      return true
    case 'ArrowUp':
      go(row - 1)
      return true
    case 'PageDown':
      go(row + page)
      return true
    case 'PageUp':
      go(row - page)
      return true
    case 'Home':
      go(0)
      return true
    case 'End':
      go(rows.length - 1)
      return true
    case 'ArrowRight':
      if (parent && folded) view.fold(span, false)
      else if (parent) go(row + 1)
      return true
    case 'ArrowLeft':
      if (parent && !folded) view.fold(span, true)
      else if (span >= 0 && tree.up[span]! >= 0) view.select(tree.up[span]!)
      return true
    case 'Enter':
    case ' ':
      if (span >= 0) view.select(span, true)
      return true
    default:
      return false
  }
}
