import { useSignal, useSignalEffect } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { clampWindow } from '../../model/window.js'
import { begin } from '../paint/canvas.js'
import { paintOverview } from '../paint/overview.js'
import { palette } from '../paint/palette.js'
import { colours } from '../theme.js'
import type { TraceView } from './view.js'

const HEIGHT = 52

/** The whole trace small, with the part in view marked: drag to pick a part, drag the part to move it. The keys do the same. */
export function Overview({ view }: { view: TraceView }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = useSignal(0)
  const drag = useRef<{ from: number; move: number | null } | null>(null)

  useLayoutEffect(() => {
    const box = canvas.current!.parentElement!
    const observer = new ResizeObserver(() => {
      width.value = box.clientWidth
    })
    observer.observe(box)
    return () => observer.disconnect()
  }, [])
  useSignalEffect(() => {
    const turn = colours.value
    const wide = width.value
    view.threadHues.value
    const asked = requestAnimationFrame(() => {
      const ctx = begin(canvas.current, wide, HEIGHT)
      if (ctx !== null) paintOverview(ctx, view, palette(turn), wide, HEIGHT)
    })
    return () => cancelAnimationFrame(asked)
  })

  const { bounds } = view
  const whole = bounds.to - bounds.from
  const { from, to } = view.window.value
  const left = ((from - bounds.from) / whole) * 100
  const right = ((to - bounds.from) / whole) * 100
  const timeAt = (event: PointerEvent): number => {
    const { left: edge } = canvas.current!.getBoundingClientRect()
    return bounds.from + ((event.clientX - edge) / Math.max(1, width.peek())) * whole
  }
  return (
    <div
      class="overview"
      aria-hidden="true"
      onPointerDown={(event) => {
        const at = timeAt(event)
        const partial = to - from < whole * 0.999
        drag.current = { from: at, move: partial && at > from && at < to ? at - from : null }
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        if (drag.current === null) return
        const at = timeAt(event)
        const { from: begin, move } = drag.current
        if (move !== null) {
          view.window.value = clampWindow({ from: at - move, to: at - move + to - from }, bounds)
        } else if (Math.abs(at - begin) > (whole / Math.max(1, width.peek())) * 3) {
          view.window.value = clampWindow({ from: Math.min(at, begin), to: Math.max(at, begin) }, bounds)
        }
      }}
      onPointerUp={() => {
        drag.current = null
      }}
      onDblClick={() => {
        view.window.value = bounds
      }}
    >
      <canvas ref={canvas} />
      <i class="shade" style={{ left: 0, width: `${Math.max(0, left)}%` }} />
      <i class="shade" style={{ left: `${Math.min(100, right)}%`, right: 0 }} />
      <i class="frame" style={{ left: `${left}%`, width: `${Math.max(0.2, right - left)}%` }} />
    </div>
  )
}
