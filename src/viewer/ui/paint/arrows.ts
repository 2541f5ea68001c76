import { LANE_PADDING } from '../../model/lane-layout.js'
import { arrowHead } from './bars.js'
import type { Picture } from './lanes.js'

/** More arrows than this at once are a grey cloud: then only those of the span under the cursor are drawn. */
const MOST = 120

/** Arrows from where a task was submitted to where it ran, for all that is in view; bars are drawn over them. */
export function paintCrossings(picture: Picture): void {
  const { view, frame } = picture
  const { trace } = view
  const { submit } = view.queues.peek()
  const drawn: number[] = []
  for (const span of view.crossings.peek()) {
    if (trace.start[span]! < frame.window.from || submit[span]! > frame.window.to) continue
    drawn.push(span)
    if (drawn.length > MOST) return
  }
  for (const span of drawn) arrow(picture, trace.tree.up[span]!, span, submit[span]!, false)
}

/** Arrows of the span under the pointer or the cursor, and those of links, above everything. */
export function paintFocus(picture: Picture): void {
  const { ctx, view } = picture
  const { trace } = view
  const { submit } = view.queues.peek()
  const focus = view.hovered.peek() >= 0 ? view.hovered.peek() : view.selected.peek()
  if (focus >= 0) {
    const above = trace.tree.up[focus]!
    if (above >= 0 && trace.thread[above] !== trace.thread[focus]) {
      arrow(picture, above, focus, submit[focus]!, true)
    }
    const { first, children } = trace.tree
    const to = Math.min(first[focus + 1]!, first[focus]! + MOST)
    for (let c = first[focus]!; c < to; c++) {
      const child = children[c]!
      if (trace.thread[child] !== trace.thread[focus]) arrow(picture, focus, child, submit[child]!, true)
    }
  }
  ctx.setLineDash([4, 3])
  for (const [from, to] of trace.links.slice(0, MOST)) {
    arrow(picture, from, to, trace.end[from]!, from === focus || to === focus)
  }
  ctx.setLineDash([])
}

function arrow(picture: Picture, from: number, to: number, at: number, strong: boolean): void {
  const { ctx, view, colours, frame, x } = picture
  const a = middle(picture, from)
  const b = middle(picture, to)
  const left = x(at)
  const right = x(view.trace.start[to]!)
  if (Math.max(a, b) < 0 || Math.min(a, b) > frame.height || right < 0 || left > frame.width) return
  ctx.globalAlpha = strong ? 1 : 0.6
  ctx.strokeStyle = strong ? colours.text : colours.wait
  ctx.fillStyle = ctx.strokeStyle
  ctx.lineWidth = strong ? 1.5 : 1
  const bend = Math.min(24, Math.max(6, (right - left) / 2))
  ctx.beginPath()
  ctx.moveTo(left, a)
  ctx.bezierCurveTo(left + bend, a, right - bend - 4, b, right - 2, b)
  ctx.stroke()
  arrowHead(ctx, right, b)
  ctx.globalAlpha = 1
}

/** The height at which a span's row is drawn. */
function middle({ view, frame }: Picture, span: number): number {
  const { row, ofThread } = view.lanes.peek()
  const { bands, ofLane } = view.layout.peek()
  const band = bands[ofLane[ofThread[view.trace.thread[span]!]!]!]!
  return band.top - frame.top + LANE_PADDING + (row[span]! + 0.5) * band.row - 1
}
