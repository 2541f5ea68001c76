import type { Lane } from '../../model/lanes.js'
import { extent } from './bars.js'
import type { Picture } from './lanes.js'

/** Draws how many spans of a lane were open at each instant, what failed above it, and where the span under the cursor is. */
export function paintDensity(
  { ctx, view, colours, frame, x }: Picture,
  lane: Lane,
  top: number,
  height: number,
): void {
  const { trace } = view
  const columns = Math.max(1, Math.floor(frame.width))
  const change = new Int32Array(columns + 1)
  const { from, to } = frame.window
  for (const span of lane.spans) {
    if (trace.end[span]! < from || trace.start[span]! > to) continue
    change[Math.max(0, Math.min(columns - 1, Math.floor(x(trace.start[span]!))))]!++
    change[Math.max(0, Math.min(columns - 1, Math.floor(x(trace.end[span]!)))) + 1]!--
  }
  ctx.fillStyle = colours.hues[view.threadHues.peek()[lane.thread]!]!
  let open = 0
  for (let column = 0; column < columns; column++) {
    open += change[column]!
    if (open === 0) continue
    const tall = Math.max(2, (open / lane.rows) * height)
    ctx.fillRect(column, top + height - tall, 1, tall)
  }
  ctx.fillStyle = colours.error
  for (const span of lane.marked.subarray(0, 2000)) {
    const left = x(trace.start[span]!)
    if (left >= 0 && left <= frame.width) ctx.fillRect(left, top, 2, 4)
  }
  for (const [span, stroke, line] of [
    [view.hovered.peek(), colours.text, 1],
    [view.selected.peek(), colours.focus, 2],
  ] as const) {
    if (span < 0 || trace.thread[span] !== lane.thread) continue
    const [left, width] = extent(trace, span, x)
    ctx.strokeStyle = stroke
    ctx.lineWidth = line
    ctx.strokeRect(left, top - 1, Math.max(3, width), height + 2)
  }
}
