import { peaks } from '../../model/concurrency.js'
import { mark, ticks } from '../../model/format.js'
import type { TraceView } from '../trace/view.js'
import { type Frame, scaleX } from './canvas.js'
import type { Palette } from './palette.js'

export const AXIS_HEIGHT = 20
export const STRIP_HEIGHT = 34
const TICK_SPACE = 110

/** Round instants of the window, relative to the start of the trace. */
export function axisTicks(view: TraceView, { width, window }: Frame): number[] {
  const zero = view.trace.from
  return ticks(window.from - zero, window.to - zero, Math.max(2, width / TICK_SPACE)).map((at) => at + zero)
}

/** Draws the time axis, and under it how many spans were at work at each instant. */
export function paintAxis(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
): void {
  const x = scaleX(frame)
  ctx.font = colours.font
  ctx.textBaseline = 'middle'
  const marks = axisTicks(view, frame)
  const step = marks.length > 1 ? marks[1]! - marks[0]! : frame.window.to - frame.window.from
  for (const at of marks) {
    const left = Math.round(x(at)) + 0.5
    ctx.strokeStyle = colours.line
    ctx.lineWidth = 1
    ctx.beginPath()
    ctx.moveTo(left, 4)
    ctx.lineTo(left, AXIS_HEIGHT + STRIP_HEIGHT)
    ctx.stroke()
    ctx.fillStyle = colours.muted
    const text = mark(at - view.trace.from, step)
    if (left + ctx.measureText(text).width + 8 < frame.width)
      ctx.fillText(text, left + 4, AXIS_HEIGHT / 2 + 1)
  }

  const steps = view.steps.peek()
  const columns = Math.max(1, Math.floor(frame.width))
  const levels = peaks(steps, frame.window.from, frame.window.to, columns)
  const scale = (STRIP_HEIGHT - 6) / Math.max(1, steps.peak)
  const floor = AXIS_HEIGHT + STRIP_HEIGHT
  ctx.beginPath()
  ctx.moveTo(0, floor)
  for (let column = 0; column < columns; column++) {
    const y = floor - levels[column]! * scale
    ctx.lineTo(column, y)
    ctx.lineTo(column + 1, y)
  }
  ctx.lineTo(columns, floor)
  ctx.closePath()
  ctx.fillStyle = colours.strip
  ctx.fill()
  ctx.strokeStyle = colours.stripLine
  ctx.lineWidth = 1
  ctx.stroke()
}
