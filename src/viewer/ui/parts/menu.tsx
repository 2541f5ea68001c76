import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** A button that opens a few others; Escape and a click elsewhere close it. */
export function Menu(props: { label: string; small?: boolean; children: ComponentChildren }) {
  const { label, small = false, children } = props
  const box = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const shut = (event: Event): void => {
      const menu = box.current
      if (menu?.open !== true) return
      const isKey = event instanceof KeyboardEvent
      if (isKey ? event.key !== 'Escape' : menu.contains(event.target as Node)) return
      menu.open = false
      if (isKey) menu.querySelector('summary')?.focus()
    }
    addEventListener('keydown', shut)
    addEventListener('pointerdown', shut)
    return () => {
      removeEventListener('keydown', shut)
      removeEventListener('pointerdown', shut)
    }
  }, [])
  return (
    <details class="menu" ref={box}>
      <summary class={`button${small ? ' small' : ''}`}>{label}</summary>
      <div class="panel">{children}</div>
    </details>
  )
}
