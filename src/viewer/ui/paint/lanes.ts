import {
  type Band,
  bandAt,
  DEEP_LANE,
  LANE_PADDING,
  PROCESS_HEIGHT,
  stickyHead,
} from '../../model/lane-layout.js'
import { firstEndingAfter, type Lane } from '../../model/lanes.js'
import type { Queue } from '../../model/queues.js'
import { labelOf, nameOf } from '../../model/trace.js'
import type { TraceView } from '../trace/view.js'
import { paintCrossings, paintFocus } from './arrows.js'
import { axisTicks } from './axis.js'
import { extent, NARROW, opacity, paintBar, paintCritical, paintWait } from './bars.js'
import { type Frame, scaleX, writeWithin } from './canvas.js'
import { paintDensity } from './density.js'
import type { Palette } from './palette.js'

/** A row lower than this has no room for a text. */
const TEXT_ROW = 12
/** A bar narrower than this has none either. */
const TEXT_WIDTH = 26

/** What every part of one picture is drawn with. */
export interface Picture {
  readonly ctx: CanvasRenderingContext2D
  readonly view: TraceView
  readonly colours: Palette
  readonly frame: Frame
  readonly x: (time: number) => number
}

/** Draws the lanes that are in view. Bars thinner than a pixel are drawn once per pixel. */
export function paintLanes(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
): void {
  const picture: Picture = { ctx, view, colours, frame, x: scaleX(frame) }
  const layout = view.layout.peek()
  const bottom = frame.top + frame.height
  ctx.font = colours.font
  ctx.textBaseline = 'middle'
  const first = Math.max(0, bandAt(layout, frame.top))
  let last = first
  while (last < layout.bands.length && layout.bands[last]!.top < bottom) last++
  const bands = layout.bands.slice(first, last)

  paintGround(picture, bands, layout.height)
  paintCrossings(picture)
  for (const band of bands) {
    const top = band.top + LANE_PADDING - frame.top
    if (band.kind === 'queue') paintQueue(picture, view.queues.peek().queues[band.index]!, top, band.row)
    else if (band.kind === 'lane') {
      const lane = view.lanes.peek().lanes[band.index]!
      if (band.folded && lane.rows > DEEP_LANE)
        paintDensity(picture, lane, top, band.height - 2 * LANE_PADDING)
      else paintLane(picture, lane, top, band.row)
    }
  }
  paintFocus(picture)
  const sticky = stickyHead(layout, frame.top)
  if (sticky === null) return
  const y = sticky.top - frame.top
  ctx.fillStyle = colours.sunken
  ctx.fillRect(0, y, frame.width, PROCESS_HEIGHT)
  ctx.fillStyle = colours.line
  ctx.fillRect(0, y + PROCESS_HEIGHT - 1, frame.width, 1)
}

function paintGround(
  { ctx, view, colours, frame, x }: Picture,
  bands: readonly Band[],
  height: number,
): void {
  for (const band of bands) {
    const y = band.top - frame.top
    if (band.kind === 'process') {
      ctx.fillStyle = colours.sunken
      ctx.fillRect(0, y, frame.width, band.height)
    }
    ctx.fillStyle = colours.line
    ctx.fillRect(0, y + band.height - 1, frame.width, 1)
  }
  ctx.strokeStyle = colours.line
  ctx.lineWidth = 1
  ctx.beginPath()
  for (const at of axisTicks(view, frame)) {
    const left = Math.round(x(at)) + 0.5
    ctx.moveTo(left, 0)
    ctx.lineTo(left, Math.min(frame.height, height - frame.top))
  }
  ctx.stroke()
}

/** Calls `paint` for the rows of a band that are in view. */
function eachRow(
  { frame }: Picture,
  rows: number,
  top: number,
  rowHeight: number,
  paint: (row: number, y: number, height: number) => void,
): void {
  const height = rowHeight >= 6 ? rowHeight - 2 : Math.max(1, rowHeight)
  const from = Math.max(0, Math.floor(-top / rowHeight))
  const to = Math.min(rows, Math.ceil((frame.height - top) / rowHeight))
  // Squeezed rows can be thinner than a pixel: one of them stands for those that share it.
  const step = Math.max(1, Math.floor(1 / rowHeight))
  for (let row = from; row < to; row += step) paint(row, top + row * rowHeight, height)
}

function paintLane(picture: Picture, lane: Lane, top: number, rowHeight: number): void {
  eachRow(picture, lane.rows, top, rowHeight, (row, y, height) => {
    paintRow(picture, lane, row, y, height)
    paintMarks(picture, lane, row, y, height)
  })
}

function paintRow(picture: Picture, lane: Lane, row: number, y: number, height: number): void {
  const { ctx, view, colours, frame, x } = picture
  const { trace } = view
  const hues = view.hues.peek()
  const selected = view.selected.peek()
  const hovered = view.hovered.peek()
  const high = lane.first[row + 1]!
  let at = firstEndingAfter(trace.end, lane.spans, lane.first[row]!, high, frame.window.from)
  // What ends where the window begins has no width in it, unless it has none anywhere.
  while (at > lane.first[row]! && trace.start[lane.spans[at - 1]!]! >= frame.window.from) at--
  while (at < high) {
    const span = lane.spans[at]!
    if (trace.start[span]! > frame.window.to) break
    const [left, width] = extent(trace, span, x)
    const fill = colours.hues[hues[span]!]!
    ctx.globalAlpha = opacity(view, span)
    if (width <= NARROW) {
      at = paintThin(picture, lane, at, high, y, height)
      continue
    }
    const shown = Math.max(-4, left)
    const right = Math.min(frame.width + 4, left + width)
    paintBar(ctx, colours, trace.flags[span]!, fill, shown, y, right - shown - 0.5, height)
    if (view.critical.peek() && height > 4)
      paintCritical(ctx, view, colours, span, x, y + height - 1, frame.width)
    if (height >= TEXT_ROW && right - shown > TEXT_WIDTH) {
      ctx.fillStyle = colours.barText
      const label = labelOf(trace, span)
      const text = label === '' ? nameOf(trace, span) : `${nameOf(trace, span)}  ${label}`
      const begin = Math.max(4, shown + 4)
      writeWithin(ctx, text, begin, y + height / 2, right - begin - 3)
    }
    if (span === selected || span === hovered) {
      outline(ctx, colours, span === selected, shown, y, right - shown, height)
    }
    at++
  }
  ctx.globalAlpha = 1
}

/**
 * Draws a bar too thin for a shape, and with it, as one rectangle, all of the same colour that follow within a pixel of
 * each other: a row can hold thousands. Returns the position of the first that is not drawn.
 */
function paintThin(
  picture: Picture,
  lane: Lane,
  at: number,
  high: number,
  y: number,
  height: number,
): number {
  const { ctx, view, colours, frame, x } = picture
  const { start, end } = view.trace
  const hues = view.hues.peek()
  const selected = view.selected.peek()
  const perPixel = (frame.window.to - frame.window.from) / frame.width
  const span = lane.spans[at]!
  const [left, width] = extent(view.trace, span, x)
  let right = left + width
  let last = span
  let next = at + 1
  for (;;) {
    const pixel = Math.max(end[last]!, start[last]! + perPixel)
    next = Math.max(next, firstEndingAfter(end, lane.spans, next, high, pixel))
    const other = lane.spans[next]!
    if (next >= high || span === selected || other === selected || hues[other] !== hues[span]) break
    const [begin, wide] = extent(view.trace, other, x)
    if (begin > Math.min(right + 0.5, frame.width) || wide > NARROW) break
    if (opacity(view, other) !== opacity(view, span)) break
    right = Math.max(right, begin + wide)
    last = other
    next++
  }
  paintBar(ctx, colours, 0, colours.hues[hues[span]!]!, left, y, right - left, height)
  if (span === selected) outline(ctx, colours, true, left, y, 2, height)
  return next
}

/** Errors and deaths in bars too thin to show them. */
function paintMarks(
  { ctx, view, colours, frame, x }: Picture,
  lane: Lane,
  row: number,
  y: number,
  height: number,
): void {
  const { trace } = view
  const { marked, markedFirst } = lane
  const high = markedFirst[row + 1]!
  const perPixel = (frame.window.to - frame.window.from) / frame.width
  let at = firstEndingAfter(trace.end, marked, markedFirst[row]!, high, frame.window.from)
  ctx.fillStyle = colours.error
  while (at < high && trace.start[marked[at]!]! <= frame.window.to) {
    const span = marked[at]!
    const [left, width] = extent(trace, span, x)
    if (width <= NARROW) ctx.fillRect(left, y, 2, height)
    at = Math.max(at + 1, firstEndingAfter(trace.end, marked, at + 1, high, trace.end[span]! + perPixel))
  }
}

function paintQueue(picture: Picture, queue: Queue, top: number, rowHeight: number): void {
  const { ctx, view, colours, frame, x } = picture
  const { trace } = view
  const { submit } = view.queues.peek()
  const perPixel = (frame.window.to - frame.window.from) / frame.width
  eachRow(picture, queue.rows, top, rowHeight, (row, y, height) => {
    const high = queue.first[row + 1]!
    let at = firstEndingAfter(trace.start, queue.spans, queue.first[row]!, high, frame.window.from)
    while (at < high) {
      const span = queue.spans[at]!
      if (submit[span]! > frame.window.to) break
      const left = Math.max(-4, x(submit[span]!))
      const right = Math.min(frame.width + 4, x(trace.start[span]!))
      ctx.globalAlpha = opacity(view, span)
      if (right - left > NARROW && height >= 4) {
        paintWait(ctx, colours, left, right, y, height)
        if (span === view.selected.peek()) outline(ctx, colours, true, left, y, right - left, height)
        at++
        continue
      }
      ctx.fillStyle = colours.wait
      ctx.fillRect(left, y, Math.max(1, right - left), height)
      const next = Math.max(trace.start[span]!, submit[span]! + perPixel)
      at = Math.max(at + 1, firstEndingAfter(trace.start, queue.spans, at + 1, high, next))
    }
    ctx.globalAlpha = 1
  })
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
