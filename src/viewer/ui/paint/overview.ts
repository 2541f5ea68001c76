import { peaks } from '../../model/concurrency.js'
import { firstEndingAfter } from '../../model/lanes.js'
import type { TraceView } from '../trace/view.js'
import { extent, NARROW } from './bars.js'
import { scaleX } from './canvas.js'
import type { Palette } from './palette.js'

/** Rows of a lane that the overview tells apart. */
const MOST_ROWS = 6

/** Lines thinner than this, CSS pixels, blend into one grey. */
const THINNEST = 1.5

/** Draws the whole trace small: a line per thread, threads below each other; of many threads, how many spans were at work. */
export function paintOverview(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  width: number,
  height: number,
): void {
  const { trace, bounds } = view
  const { lanes } = view.lanes.peek()
  const x = scaleX({ window: bounds, width })
  const hues = view.threadHues.peek()
  const perPixel = (bounds.to - bounds.from) / width
  const share = (height - 6) / Math.max(1, lanes.length)
  if (share < THINNEST) {
    paintLoad(ctx, view, colours, width, height)
    return
  }
  lanes.forEach((lane, i) => {
    const rows = Math.min(lane.rows, MOST_ROWS)
    const rowHeight = Math.min(5, share / rows)
    ctx.fillStyle = colours.hues[hues[lane.thread]!]!
    for (let row = 0; row < rows; row++) {
      const y = 3 + i * share + row * rowHeight
      const high = lane.first[row + 1]!
      let at = lane.first[row]!
      while (at < high) {
        const span = lane.spans[at]!
        const [left, wide] = extent(trace, span, x)
        ctx.fillRect(left, y, wide, Math.max(1, rowHeight - (rowHeight > 2 ? 0.6 : 0)))
        at =
          wide > NARROW
            ? at + 1
            : firstEndingAfter(trace.end, lane.spans, at + 1, high, trace.end[span]! + perPixel)
      }
    }
    ctx.fillStyle = colours.error
    for (const span of lane.marked.subarray(0, 500)) {
      ctx.fillRect(x(trace.start[span]!), 3 + i * share, 2, Math.max(2, share - 1))
    }
  })
}

function paintLoad(
  ctx: CanvasRenderingContext2D,
  view: TraceView,
  colours: Palette,
  width: number,
  height: number,
): void {
  const steps = view.steps.peek()
  const levels = peaks(steps, view.bounds.from, view.bounds.to, Math.max(1, Math.floor(width)))
  const scale = (height - 8) / Math.max(1, steps.peak)
  ctx.fillStyle = colours.strip
  for (let column = 0; column < levels.length; column++) {
    const tall = levels[column]! * scale
    ctx.fillRect(column, height - tall, 1, tall)
  }
  ctx.fillStyle = colours.stripLine
  for (let column = 0; column < levels.length; column++) {
    if (levels[column]! > 0) ctx.fillRect(column, height - levels[column]! * scale, 1, 1)
  }
}
