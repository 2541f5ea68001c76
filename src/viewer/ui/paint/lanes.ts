import { bandAt, LANE_PADDING } from '../../model/lane-layout.js'
import { firstEndingAfter, type Lane } from '../../model/lanes.js'
import { labelOf, nameOf } from '../../model/trace.js'
import type { TraceView } from '../trace/view.js'
import { axisTicks } from './axis.js'
import { arrowHead, extent, NARROW, opacity, paintBar, paintCritical, paintWait } from './bars.js'
import { type Frame, scaleX, writeWithin } from './canvas.js'
import type { Palette } from './palette.js'

/** More arrows than this at once are a grey cloud: then only those of the span under the cursor are drawn. */
const MOST_ARROWS = 250
/** A row lower than this has no room for a text. */
const TEXT_ROW = 12

/** Draws the lanes that are in view. Bars thinner than a pixel are drawn once per pixel. */
export function paintLanes(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
): void {
  const layout = view.layout.peek()
  const { lanes } = view.lanes.peek()
  const x = scaleX(frame)
  const bottom = frame.top + frame.height
  ctx.font = colours.font
  ctx.textBaseline = 'middle'
  const firstBand = Math.max(0, bandAt(layout, frame.top))

  for (let i = firstBand; i < layout.bands.length && layout.bands[i]!.top < bottom; i++) {
    const { top, height, lane } = layout.bands[i]!
    const y = top - frame.top
    if (lane < 0) {
      ctx.fillStyle = colours.sunken
      ctx.fillRect(0, y, frame.width, height)
    }
    ctx.fillStyle = colours.line
    ctx.fillRect(0, y + height - 1, frame.width, 1)
  }
  ctx.strokeStyle = colours.line
  ctx.lineWidth = 1
  ctx.beginPath()
  for (const at of axisTicks(view, frame)) {
    const left = Math.round(x(at)) + 0.5
    ctx.moveTo(left, 0)
    ctx.lineTo(left, Math.min(frame.height, layout.height - frame.top))
  }
  ctx.stroke()

  for (let i = firstBand; i < layout.bands.length && layout.bands[i]!.top < bottom; i++) {
    const { top, lane, row } = layout.bands[i]!
    if (lane < 0) continue
    paintLane(ctx, view, colours, frame, lanes[lane]!, top + LANE_PADDING - frame.top, row, x)
  }
  paintArrows(ctx, view, colours, frame, x)
}

function paintLane(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
  lane: Lane,
  top: number,
  rowHeight: number,
  x: (time: number) => number,
): void {
  const height = rowHeight >= 6 ? rowHeight - 2 : Math.max(1, rowHeight)
  const from = Math.max(0, Math.floor(-top / rowHeight))
  const to = Math.min(lane.rows, Math.ceil((frame.height - top) / rowHeight))
  // Squeezed rows can be thinner than a pixel: one of them stands for those that share it.
  const step = Math.max(1, Math.floor(1 / rowHeight))
  for (let row = from; row < to; row += step) {
    paintRow(ctx, view, colours, frame, lane, row, top + row * rowHeight, height, x)
  }
}

function paintRow(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
  lane: Lane,
  row: number,
  y: number,
  height: number,
  x: (time: number) => number,
): void {
  const { trace } = view
  const hues = view.hues.peek()
  const selected = view.selected.peek()
  const hovered = view.hovered.peek()
  const perPixel = (frame.window.to - frame.window.from) / frame.width
  const high = lane.first[row + 1]!
  let at = firstEndingAfter(trace, lane.spans, lane.first[row]!, high, frame.window.from)
  while (at < high) {
    const span = lane.spans[at]!
    if (trace.start[span]! > frame.window.to) break
    const [left, width] = extent(trace, span, x)
    ctx.globalAlpha = opacity(view, span)
    if (width > NARROW) {
      const shown = Math.max(-4, left)
      const right = Math.min(frame.width + 4, left + width)
      if (trace.wait[span]! > 0 && height > 4) {
        const submit = Math.max(-4, x(trace.start[span]! - trace.wait[span]!))
        paintWait(ctx, colours, submit, left, y + height - 5, 5)
      }
      paintBar(
        ctx,
        colours,
        trace.flags[span]!,
        colours.hues[hues[span]!]!,
        shown,
        y,
        right - shown - 0.5,
        height,
      )
      if (view.critical.peek() && height > 4) {
        paintCritical(ctx, view, colours, span, x, y + height - 2, frame.width)
      }
      if (height >= TEXT_ROW) {
        ctx.fillStyle = colours.barText
        const label = labelOf(trace, span)
        const text = label === '' ? nameOf(trace, span) : `${nameOf(trace, span)}  ${label}`
        writeWithin(ctx, text, Math.max(4, shown + 4), y + height / 2, right - Math.max(4, shown + 4) - 3)
      }
      if (span === selected || span === hovered)
        outline(ctx, colours, span === selected, shown, y, right - shown, height)
      at++
    } else {
      paintBar(ctx, colours, 0, colours.hues[hues[span]!]!, left, y, width, height)
      if (span === selected) outline(ctx, colours, true, left, y, 2, height)
      // On to the first span that ends after this pixel.
      const next = trace.start[span]! + Math.max(perPixel, trace.end[span]! - trace.start[span]!)
      at = Math.max(at + 1, firstEndingAfter(trace, lane.spans, at + 1, high, next))
    }
  }
  ctx.globalAlpha = 1
  paintMarks(ctx, view, colours, frame, lane, row, y, height, x)
}

/** Errors and deaths in bars too thin to show them. */
function paintMarks(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
  lane: Lane,
  row: number,
  y: number,
  height: number,
  x: (time: number) => number,
): void {
  const { trace } = view
  const high = lane.markedFirst[row + 1]!
  let at = firstEndingAfter(trace, lane.marked, lane.markedFirst[row]!, high, frame.window.from)
  const perPixel = (frame.window.to - frame.window.from) / frame.width
  ctx.fillStyle = colours.error
  while (at < high && trace.start[lane.marked[at]!]! <= frame.window.to) {
    const span = lane.marked[at]!
    const [left, width] = extent(trace, span, x)
    if (width <= NARROW) ctx.fillRect(left, y, 2, height)
    at = Math.max(at + 1, firstEndingAfter(trace, lane.marked, at + 1, high, trace.end[span]! + perPixel))
  }
}

function outline(
  ctx: CanvasRenderingContext2D,
  colours: Palette,
  strong: boolean,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  ctx.strokeStyle = strong ? colours.focus : colours.text
  ctx.lineWidth = strong ? 2 : 1
  ctx.strokeRect(x - 1, y - 1, width + 2, height + 2)
}

/** From the submitting thread to where it ran. */
function paintArrows(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
  x: (time: number) => number,
): void {
  const { trace } = view
  const { row, ofThread } = view.lanes.peek()
  const { bands, ofLane } = view.layout.peek()
  const middle = (span: number): number => {
    const band = bands[ofLane[ofThread[trace.thread[span]!]!]!]!
    return band.top - frame.top + LANE_PADDING + (row[span]! + 0.5) * band.row - 1
  }
  const arrow = (from: number, to: number, submit: number, strong: boolean): void => {
    const a = middle(from)
    const b = middle(to)
    if (Math.max(a, b) < 0 || Math.min(a, b) > frame.height) return
    const left = x(submit)
    const right = x(trace.start[to]!)
    ctx.globalAlpha = strong ? 1 : 0.55
    ctx.strokeStyle = strong ? colours.text : colours.wait
    ctx.fillStyle = ctx.strokeStyle
    ctx.lineWidth = strong ? 1.5 : 1
    ctx.beginPath()
    ctx.moveTo(left, a)
    const bend = Math.min(24, Math.max(6, (right - left) / 2))
    ctx.bezierCurveTo(left + bend, a, right - bend - 4, b, right - 2, b)
    ctx.stroke()
    arrowHead(ctx, right, b)
  }
  const inView = (span: number): boolean =>
    trace.start[span]! >= frame.window.from && trace.start[span]! - trace.wait[span]! <= frame.window.to
  const submitOf = (span: number): number => trace.start[span]! - trace.wait[span]!

  const focus = view.hovered.peek() >= 0 ? view.hovered.peek() : view.selected.peek()
  const drawn: number[] = []
  for (const span of view.crossings.peek()) {
    if (trace.start[span]! > frame.window.to + (frame.window.to - frame.window.from)) break
    if (inView(span)) drawn.push(span)
    if (drawn.length > MOST_ARROWS) break
  }
  if (drawn.length <= MOST_ARROWS) {
    for (const span of drawn) arrow(trace.tree.up[span]!, span, submitOf(span), false)
  }
  if (focus >= 0) {
    const above = trace.tree.up[focus]!
    if (above >= 0 && trace.thread[above] !== trace.thread[focus]) arrow(above, focus, submitOf(focus), true)
    const { first, children } = trace.tree
    let many = 0
    for (let c = first[focus]!; c < first[focus + 1]! && many < MOST_ARROWS; c++) {
      const child = children[c]!
      if (trace.thread[child] === trace.thread[focus] || !inView(child)) continue
      arrow(focus, child, submitOf(child), true)
      many++
    }
  }
  for (const [from, to] of trace.links.slice(0, MOST_ARROWS)) {
    ctx.setLineDash([4, 3])
    arrow(from, to, trace.end[from]!, from === focus || to === focus)
  }
  ctx.setLineDash([])
  ctx.globalAlpha = 1
}
