import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { pan, zoom } from '../../model/window.js'
import { AXIS_HEIGHT, paintAxis, STRIP_HEIGHT } from '../paint/axis.js'
import { begin, type Frame } from '../paint/canvas.js'
import { type Palette, palette } from '../paint/palette.js'
import { colours } from '../theme.js'
import { Splitter } from './splitter.js'
import { Tooltip } from './tooltip.js'
import type { TraceView } from './view.js'

/** What differs between the waterfall and the lanes. */
export interface Face {
  readonly label: string
  /** Titles above the left column. */
  readonly titles: ComponentChildren
  /** Height of the whole drawing, CSS pixels. */
  readonly height: number
  readonly rowCount: number
  /** Id of the element of the row that has the cursor. */
  readonly active: string | undefined
  /** Where the span under the cursor is drawn: top and height, or null. */
  readonly place: (span: number) => readonly [number, number] | null
  /** The rows of the left column between two heights. */
  readonly rows: (top: number, bottom: number) => ComponentChildren
  readonly paint: (ctx: CanvasRenderingContext2D, view: TraceView, colours: Palette, frame: Frame) => void
  /** The span at a point of the drawing, or -1. */
  readonly hit: (time: number, y: number, tolerance: number) => number
  readonly onKey: (event: KeyboardEvent) => boolean
  /** Pixels at the top that something covers. */
  readonly inset?: number
}

/** A drawing of a trace with a column of rows on its left: rows are elements, bars are on a canvas, only what is in view exists. */
export function Board({ view, face }: { view: TraceView; face: Face }) {
  const scroller = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const axis = useRef<HTMLCanvasElement>(null)
  const top = useSignal(0)
  const size = useSignal({ width: 0, height: 0 })
  const current = useRef(face)
  current.current = face

  useLayoutEffect(() => {
    const measure = (): void => {
      const box = canvas.current!.parentElement!
      size.value = {
        width: box.clientWidth - canvas.current!.offsetLeft,
        height: scroller.current!.clientHeight,
      }
    }
    const observer = new ResizeObserver(measure)
    observer.observe(scroller.current!)
    measure()
    return () => observer.disconnect()
  }, [])

  // Everything that a picture depends on is read here, and the picture is made once before the next frame.
  useSignalEffect(() => {
    const turn = colours.value
    const frame: Frame = { ...size.value, window: view.window.value, top: top.value }
    for (const signal of [
      view.selected,
      view.hovered,
      view.rows,
      view.hues,
      view.layout,
      view.matched,
      view.critical,
      view.opened,
    ]) {
      signal.value
    }
    const asked = requestAnimationFrame(() => {
      const shades = palette(turn)
      const ctx = begin(canvas.current, frame.width, frame.height)
      if (ctx !== null) current.current.paint(ctx, view, shades, frame)
    })
    return () => cancelAnimationFrame(asked)
  })
  useSignalEffect(() => {
    const turn = colours.value
    const frame: Frame = {
      ...size.value,
      height: AXIS_HEIGHT + STRIP_HEIGHT,
      window: view.window.value,
      top: 0,
    }
    const asked = requestAnimationFrame(() => {
      const ctx = begin(axis.current, frame.width, frame.height)
      if (ctx !== null) paintAxis(ctx, view, palette(turn), frame)
    })
    return () => cancelAnimationFrame(asked)
  })

  const selected = view.selected.value
  const layout = view.mode.value === 'lanes' ? view.layout.value : view.rows.value
  useEffect(() => {
    const place = selected < 0 ? null : current.current.place(selected)
    const box = scroller.current!
    if (place === null || box.clientHeight === 0) return
    const [y, height] = place
    if (y < box.scrollTop + (current.current.inset ?? 0))
      box.scrollTop = Math.max(0, y - height - (current.current.inset ?? 0))
    else if (y + height > box.scrollTop + box.clientHeight) box.scrollTop = y + 2 * height - box.clientHeight
  }, [selected, layout])

  // Keys act at once where a trace is opened, as the sheet of keys says.
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.id === 'screen')
      scroller.current!.focus({ preventScroll: true })
  }, [])

  const { onPointer, onWheel } = usePointer(view, current, size, top)
  useEffect(() => {
    const box = scroller.current!
    box.addEventListener('wheel', onWheel, { passive: false })
    return () => box.removeEventListener('wheel', onWheel)
  }, [onWheel])

  return (
    <div class="board">
      <div class="board-head">
        <div class="board-titles">{face.titles}</div>
        <canvas ref={axis} style={{ width: `${size.value.width}px` }} aria-hidden="true" />
      </div>
      <div
        class="board-scroll"
        ref={scroller}
        role="treegrid"
        tabIndex={0}
        aria-label={face.label}
        aria-rowcount={face.rowCount + 1}
        aria-colcount={2}
        aria-activedescendant={face.active}
        onScroll={(event) => {
          top.value = event.currentTarget.scrollTop
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey || !face.onKey(event)) return
          event.preventDefault()
        }}
      >
        <div class="board-size" style={{ height: `${Math.max(size.value.height, face.height)}px` }}>
          <div class="board-view" style={{ height: `${size.value.height}px` }}>
            <div class="sr-only" role="row" aria-rowindex={1}>
              <span role="columnheader">Name</span>
              <span role="columnheader">Time</span>
            </div>
            <div class="board-rows" role="presentation" style={{ transform: `translateY(${-top.value}px)` }}>
              {face.rows(top.value, top.value + size.value.height)}
            </div>
            <canvas
              ref={canvas}
              style={{ width: `${size.value.width}px`, height: `${size.value.height}px` }}
              aria-hidden="true"
              onPointerDown={onPointer}
              onPointerMove={onPointer}
              onPointerUp={onPointer}
              onPointerLeave={onPointer}
              onDblClick={() => view.zoomTo(view.hovered.peek())}
            />
          </div>
        </div>
      </div>
      <Splitter />
      <Tooltip view={view} />
    </div>
  )
}

/** Hover, click to select, drag to move in time, wheel with Control to zoom. */
function usePointer(
  view: TraceView,
  face: { readonly current: Face },
  size: { peek(): { width: number; height: number } },
  top: { peek(): number },
) {
  const drag = useRef<{ x: number; moved: boolean } | null>(null)
  const timeAt = (x: number): number => {
    const { from, to } = view.window.peek()
    return from + (x / Math.max(1, size.peek().width)) * (to - from)
  }
  const onPointer = (event: PointerEvent): void => {
    const canvas = event.currentTarget as HTMLCanvasElement
    const { left, top: above } = canvas.getBoundingClientRect()
    const x = event.clientX - left
    if (event.type === 'pointerleave') view.hovered.value = -1
    else if (event.type === 'pointerdown' && event.button === 0) {
      drag.current = { x: event.clientX, moved: false }
      canvas.setPointerCapture(event.pointerId)
    } else if (event.type === 'pointermove' && drag.current !== null) {
      const by = event.clientX - drag.current.x
      if (!drag.current.moved && Math.abs(by) < 4) return
      drag.current = { x: event.clientX, moved: true }
      view.window.value = pan(view.window.peek(), view.bounds, -by / size.peek().width)
    } else {
      const { from, to } = view.window.peek()
      const tolerance = ((to - from) / Math.max(1, size.peek().width)) * 3
      const span = face.current.hit(timeAt(x), event.clientY - above + top.peek(), tolerance)
      if (event.type === 'pointerup') {
        if (drag.current?.moved === false && span >= 0) view.select(span, true)
        drag.current = null
      } else view.hovered.value = span
    }
  }
  const wheel = useRef((event: WheelEvent): void => {
    const box = event.currentTarget as HTMLElement
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      const { right } = box.getBoundingClientRect()
      const x = size.peek().width - (right - (box.offsetWidth - box.clientWidth) - event.clientX)
      const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 200)))
      const { from, to } = view.window.peek()
      const around = from + (Math.max(0, x) / Math.max(1, size.peek().width)) * (to - from)
      view.window.value = zoom(view.window.peek(), view.bounds, factor, around)
      return
    }
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX
    if (Math.abs(sideways) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return
    event.preventDefault()
    view.window.value = pan(view.window.peek(), view.bounds, sideways / Math.max(1, size.peek().width))
  })
  return { onPointer, onWheel: wheel.current }
}
