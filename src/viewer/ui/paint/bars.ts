import { CLOSED, CYCLE, ERROR, ORPHAN, type Trace } from '../../model/trace.js'
import type { TraceView } from '../trace/view.js'
import type { Palette } from './palette.js'

/** Width up to which a bar's corners are square: round ones would not be seen, and cost ten times as much. */
const SQUARE = 14
/** Width under which a bar shows neither its state nor a text. */
export const NARROW = 3

/** Draws the bar of one span, with what its state adds: an outline for errors, a torn end for one closed by a death. */
export function paintBar(
  ctx: CanvasRenderingContext2D,
  colours: Palette,
  flags: number,
  fill: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const failed = (flags & (ERROR | CLOSED)) !== 0
  if (width <= NARROW) {
    ctx.fillStyle = failed ? colours.error : fill
    ctx.fillRect(x, y, Math.max(1.5, width), height)
    return
  }
  ctx.fillStyle = fill
  if (width <= SQUARE && flags === 0) {
    ctx.fillRect(x, y, width, height)
    return
  }
  if ((flags & CLOSED) !== 0) {
    tornEnd(ctx, x, y, width, height)
    ctx.fill()
  } else {
    ctx.beginPath()
    ctx.roundRect(x, y, width, height, Math.min(2.5, width / 2))
    ctx.fill()
  }
  if (failed) {
    ctx.strokeStyle = colours.error
    ctx.lineWidth = 1.5
    ctx.stroke()
  }
  if ((flags & (ORPHAN | CYCLE)) !== 0) {
    ctx.fillStyle = colours.warn
    for (let at = y; at < y + height; at += 4) ctx.fillRect(x - 3, at, 2, 2)
  }
}

/** The right end as if torn off: the span did not end, its thread did. */
function tornEnd(ctx: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  const right = x + width
  const tooth = Math.min(4, width / 2)
  ctx.beginPath()
  ctx.moveTo(x, y)
  ctx.lineTo(right, y)
  ctx.lineTo(right - tooth, y + height / 4)
  ctx.lineTo(right, y + height / 2)
  ctx.lineTo(right - tooth, y + (height * 3) / 4)
  ctx.lineTo(right, y + height)
  ctx.lineTo(x, y + height)
  ctx.closePath()
}

/** Draws the time between submit and start: hatched, apart from the run. */
export function paintWait(
  ctx: CanvasRenderingContext2D,
  colours: Palette,
  from: number,
  to: number,
  y: number,
  height: number,
): void {
  if (to - from < 1) return
  ctx.fillStyle = colours.hatch
  ctx.fillRect(from, y, to - from, height)
  ctx.strokeStyle = colours.wait
  ctx.lineWidth = 1
  ctx.strokeRect(Math.round(from) + 0.5, y + 0.5, Math.max(1, Math.round(to - from) - 1), height - 1)
}

/** Underlines the parts of a span that are on the critical path. */
export function paintCritical(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  span: number,
  x: (time: number) => number,
  y: number,
  width: number,
): void {
  const { first, index } = view.pathOf.peek()
  const { start, end } = view.path.peek()
  const { from, to } = view.window.peek()
  let low = first[span]!
  let high = first[span + 1]!
  const last = high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (end[index[middle]!]! > from) high = middle
    else low = middle + 1
  }
  ctx.fillStyle = colours.critical
  let drawn = Number.NEGATIVE_INFINITY
  for (let at = low; at < last && start[index[at]!]! < to; at++) {
    const left = Math.max(0, x(start[index[at]!]!))
    const right = Math.min(width, x(end[index[at]!]!))
    // Pieces within a pixel that is black already add nothing.
    if (right < drawn + 0.5) continue
    ctx.fillRect(left, y, Math.max(1, right - left), 2)
    drawn = Math.max(right, left + 1)
  }
}

/** How a span stands out or back: 1 as it is, less while a search shows other spans. */
export function opacity(view: TraceView, span: number): number {
  const mask = view.matched.peek()
  return mask === null || mask[span] === 1 ? 1 : 0.25
}

/** The pixels of a span's bar. */
export function extent(trace: Trace, span: number, x: (time: number) => number): readonly [number, number] {
  const left = x(trace.start[span]!)
  return [left, Math.max(1.5, x(trace.end[span]!) - left)]
}

/** A small arrow head that points right, at a bar's start. */
export function arrowHead(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.beginPath()
  ctx.moveTo(x, y)
  ctx.lineTo(x - 5, y - 3)
  ctx.lineTo(x - 5, y + 3)
  ctx.closePath()
  ctx.fill()
}
