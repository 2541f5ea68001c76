import { duration } from '../../model/format.js'
import { sumOf } from '../../model/siblings.js'
import { CLOSED, ERROR, labelOf } from '../../model/trace.js'
import { ROW, type TraceView } from '../trace/view.js'
import { axisTicks } from './axis.js'
import { arrowHead, extent, opacity, paintBar, paintCritical, paintWait } from './bars.js'
import { type Frame, scaleX, writeWithin } from './canvas.js'
import type { Palette } from './palette.js'

const BAR = 12

/** Draws the bars of the rows that are in view. */
export function paintWaterfall(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
): void {
  const { trace } = view
  const rows = view.rows.peek()
  const first = Math.max(0, Math.floor(frame.top / ROW))
  const last = Math.min(rows.length, Math.ceil((frame.top + frame.height) / ROW))
  const x = scaleX(frame)
  const hues = view.hues.peek()
  const selected = view.selected.peek()
  const hovered = view.hovered.peek()

  for (let row = first; row < last; row++) {
    const span = rows[row]!
    if (span !== selected && span !== hovered) continue
    ctx.fillStyle = span === selected ? colours.selected : colours.hover
    ctx.fillRect(0, row * ROW - frame.top, frame.width, ROW)
  }
  ctx.strokeStyle = colours.line
  ctx.lineWidth = 1
  ctx.beginPath()
  for (const at of axisTicks(view, frame)) {
    const left = Math.round(x(at)) + 0.5
    ctx.moveTo(left, 0)
    ctx.lineTo(left, Math.min(frame.height, rows.length * ROW - frame.top))
  }
  ctx.stroke()

  paintArrows(ctx, view, colours, frame, first, last, x)

  ctx.font = colours.font
  ctx.textBaseline = 'middle'
  // A halo keeps texts legible where a line passes below them.
  ctx.lineJoin = 'round'
  for (let row = first; row < last; row++) {
    const span = rows[row]!
    const y = row * ROW - frame.top + (ROW - BAR) / 2 - 1
    const run = view.siblings.peek().runs.get(span)
    if (run !== undefined && !view.opened.peek().has(span)) {
      paintRun(ctx, view, colours, run, x, y, frame.width)
      continue
    }
    const [left, width] = extent(trace, span, x)
    ctx.globalAlpha = opacity(view, span)
    if (trace.wait[span]! > 0) {
      paintWait(ctx, colours, x(trace.start[span]! - trace.wait[span]!), left, y + 2, BAR - 4)
    }
    paintBar(ctx, colours, trace.flags[span]!, colours.hues[hues[span]!]!, left, y, width, BAR)
    if (view.critical.peek()) paintCritical(ctx, view, colours, span, x, y + BAR + 1, frame.width)
    const begin = Math.min(left, x(trace.start[span]! - trace.wait[span]!))
    paintText(ctx, view, colours, span, begin, left, left + width, y + BAR / 2 + 0.5, frame.width)
  }
  ctx.globalAlpha = 1
}

/** Siblings that stand as one row: a bar each, those within a pixel as one, and their sum behind the last. */
function paintRun(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  run: Int32Array,
  x: (time: number) => number,
  y: number,
  room: number,
): void {
  const { trace } = view
  const hues = view.hues.peek()
  let reached = Number.NEGATIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const span of run) {
    const [left, width] = extent(trace, span, x)
    last = Math.max(last, left + width)
    const failed = (trace.flags[span]! & (ERROR | CLOSED)) !== 0
    if (left + width < reached + 0.5 && !failed) continue
    ctx.globalAlpha = opacity(view, span)
    paintBar(ctx, colours, trace.flags[span]!, colours.hues[hues[span]!]!, left, y, width, BAR)
    if (view.critical.peek()) paintCritical(ctx, view, colours, span, x, y + BAR + 1, room)
    reached = left + width
  }
  ctx.globalAlpha = 1
  const { total, failed } = sumOf(trace, run)
  const text = `${run.length} × ${duration(total / run.length)} on average${failed > 0 ? `, ${failed} failed` : ''}`
  ctx.fillStyle = failed > 0 ? colours.error : colours.muted
  if (last + 6 < room && last > -200)
    writeWithin(ctx, text, Math.max(6, last + 6), y + BAR / 2 + 0.5, room - last - 12)
}

/** The duration and what tells the span from others, behind its bar or, where there is no room, before its wait or in it. */
function paintText(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  span: number,
  begin: number,
  left: number,
  right: number,
  y: number,
  width: number,
): void {
  const { trace } = view
  const flags = trace.flags[span]!
  const state = (flags & CLOSED) !== 0 ? ' ✕ died' : (flags & ERROR) !== 0 ? ' ! failed' : ''
  const time = `${duration(trace.end[span]! - trace.start[span]!)}${state}`
  const label = labelOf(trace, span)
  const wanted = ctx.measureText(time).width
  ctx.fillStyle = state === '' ? colours.text : colours.error
  if (right + 6 + wanted < width && right > -wanted) {
    const at = Math.max(6, right + 6)
    ctx.lineWidth = 3
    ctx.strokeStyle = span === view.selected.peek() ? colours.selected : colours.surface
    ctx.strokeText(time, at, y)
    ctx.fillText(time, at, y)
    ctx.fillStyle = colours.muted
    if (label !== '') writeWithin(ctx, label, at + wanted + 8, y, Math.min(420, width - at - wanted - 14))
    return
  }
  const before = begin - 6 - wanted
  if (before > 0 && left < width) {
    ctx.fillText(time, before, y)
    return
  }
  ctx.fillStyle = colours.barText
  const visible = Math.max(0, left) + 6
  if (right > visible) writeWithin(ctx, time, visible, y, Math.min(right, width) - visible - 4)
}

/** From where a task was submitted down to where it ran, for spans in another thread than their parent. */
function paintArrows(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  frame: Frame,
  first: number,
  last: number,
  x: (time: number) => number,
): void {
  const { trace } = view
  const rows = view.rows.peek()
  const rowOf = view.rowOf.peek()
  const middle = (row: number): number => row * ROW - frame.top + ROW / 2 - 1
  ctx.strokeStyle = colours.wait
  ctx.fillStyle = colours.wait
  ctx.lineWidth = 1
  // Tasks that were submitted together share a trunk: from the bottom up, the longest is drawn and holds the others.
  const trunks = new Set<string>()
  for (let row = last - 1; row >= first; row--) {
    const span = rows[row]!
    const above = trace.tree.up[span]!
    if (above < 0 || trace.thread[above] === trace.thread[span] || rowOf[above]! < 0) continue
    const submit = Math.round(x(trace.start[span]! - trace.wait[span]!)) + 0.5
    const start = x(trace.start[span]!)
    if (start < -20 || submit > frame.width + 20) continue
    const y = middle(row)
    const trunk = `${above} ${Math.round(submit / 4)}`
    ctx.beginPath()
    ctx.moveTo(submit, trunks.has(trunk) ? y : Math.max(-4, middle(rowOf[above]!) + BAR / 2 + 1))
    ctx.lineTo(submit, y)
    if (start - submit < 8) ctx.lineTo(start - 2, y)
    ctx.stroke()
    trunks.add(trunk)
    arrowHead(ctx, start - 1, y)
  }
}
