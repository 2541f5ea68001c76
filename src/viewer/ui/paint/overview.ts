import { firstEndingAfter } from '../../model/lanes.js'
import type { TraceView } from '../trace/view.js'
import { extent, NARROW } from './bars.js'
import { scaleX } from './canvas.js'
import type { Palette } from './palette.js'

/** Rows of a lane that the overview tells apart. */
const MOST_ROWS = 6

/** Draws the whole trace small: a line per thread, threads below each other. */
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
            : firstEndingAfter(trace, lane.spans, at + 1, high, trace.end[span]! + perPixel)
      }
    }
    ctx.fillStyle = colours.error
    for (const span of lane.marked.subarray(0, 500)) {
      ctx.fillRect(x(trace.start[span]!), 3 + i * share, 2, Math.max(2, share - 1))
    }
  })
}
