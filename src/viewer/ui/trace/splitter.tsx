import { signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { recall, remember } from '../memory.js'

const LEAST = 220
const MOST = 720
const remembered = Number(recall('tree') ?? 340)

/** Width of the left column of a trace, CSS pixels. */
export const treeWidth = signal(clamp(Number.isFinite(remembered) ? remembered : 340))

function clamp(width: number): number {
  return Math.round(Math.max(LEAST, Math.min(MOST, width)))
}

/** The line between names and time; moves by dragging and by arrow keys. */
export function Splitter() {
  const start = useRef<{ x: number; width: number } | null>(null)
  const set = (width: number): void => {
    treeWidth.value = clamp(width)
    remember('tree', String(treeWidth.value))
  }
  return (
    <div
      class="splitter"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow={treeWidth.value}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -20 : event.key === 'ArrowRight' ? 20 : 0
        if (step === 0) return
        event.preventDefault()
        set(treeWidth.peek() + step)
      }}
      onPointerDown={(event) => {
        start.current = { x: event.clientX, width: treeWidth.peek() }
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        if (start.current !== null) set(start.current.width + event.clientX - start.current.x)
      }}
      onPointerUp={() => {
        start.current = null
      }}
    />
  )
}
