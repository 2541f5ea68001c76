import { ROW, type TraceView } from './view.js'

/** The keys of a tree grid (ARIA Authoring Practices): arrows, Home, End, Page keys, Enter. */
export function onWaterfallKey(view: TraceView, event: KeyboardEvent): boolean {
  const rows = view.rows.peek()
  if (rows.length === 0) return false
  const span = view.selected.peek()
  const row = span < 0 ? -1 : view.rowOf.peek()[span]!
  const { tree } = view.trace
  const page = Math.max(1, Math.floor((event.currentTarget as HTMLElement).clientHeight / ROW) - 1)
  const go = (to: number): void => view.select(rows[Math.max(0, Math.min(rows.length - 1, to))]!)
  const parent = span >= 0 && tree.below[span]! > 0
  const folded = span >= 0 && view.folded.peek()[span] === 1
  const run = span >= 0 && view.siblings.peek().runs.has(span)
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
      if (run && !view.opened.peek().has(span)) view.openRun(span, true)
      else if (parent && folded) view.fold(span, false)
      else if (parent) go(row + 1)
      return true
    case 'ArrowLeft':
      if (run && view.opened.peek().has(span)) view.openRun(span, false)
      else if (parent && !folded) view.fold(span, true)
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
