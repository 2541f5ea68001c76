import { spanAt } from '../../model/lane-layout.js'
import type { TraceView } from './view.js'

/**
 * The keys of the lanes: left and right go along a row, up and down to the nearest span of the next row or lane, Enter
 * opens the details, Space folds the lane. Returns whether the key was one of them.
 */
export function onLaneKey(view: TraceView, event: KeyboardEvent): boolean {
  const { lanes } = view.lanes.peek()
  const span = view.selected.peek()
  if (lanes.length === 0) return false
  switch (event.key) {
    case 'Enter':
      if (span >= 0) view.select(span, true)
      return true
    case ' ':
      if (span >= 0) view.foldThread(view.trace.thread[span]!)
      return true
    case 'Home':
      view.select(lanes[0]!.spans[0]!)
      return true
    case 'End':
      view.select(lanes.at(-1)!.spans.at(-1)!)
      return true
    case 'ArrowRight':
    case 'ArrowLeft':
    case 'ArrowDown':
    case 'ArrowUp':
      if (span < 0) view.select(lanes[0]!.spans[0]!)
      else if (event.key === 'ArrowRight') along(view, span, 1)
      else if (event.key === 'ArrowLeft') along(view, span, -1)
      else across(view, span, event.key === 'ArrowDown' ? 1 : -1)
      return true
    default:
      return false
  }
}

function along(view: TraceView, span: number, step: 1 | -1): void {
  const { lanes, row, ofThread } = view.lanes.peek()
  const { first, spans } = lanes[ofThread[view.trace.thread[span]!]!]!
  const low = first[row[span]!]!
  const high = first[row[span]! + 1]!
  const at = spans.indexOf(span, low) + step
  if (at >= low && at < high) view.select(spans[at]!)
}

function across(view: TraceView, span: number, step: 1 | -1): void {
  const { trace } = view
  const { lanes, row, ofThread } = view.lanes.peek()
  const index = ofThread[trace.thread[span]!]!
  const next = row[span]! + step
  const inside = next >= 0 && next < lanes[index]!.rows
  const lane = inside ? lanes[index] : lanes[index + step]
  if (lane === undefined) return
  const to = inside ? next : step > 0 ? 0 : lane.rows - 1
  const [low, high] = [lane.first[to]!, lane.first[to + 1]!]
  const time = view.column.span === span ? view.column.time : trace.start[span]!
  const found = spanAt(trace, lane.spans, low, high, time, Number.POSITIVE_INFINITY)
  view.column = { span: found, time }
  view.select(found)
}
