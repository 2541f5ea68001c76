import { useEffect, useRef } from 'preact/hooks'
import { duration } from '../../model/format.js'
import { labelOf, nameOf, serviceOf } from '../../model/trace.js'
import type { TraceView } from './view.js'
import { states } from './words.js'

/** What the pointer is over. The same is in the rows and in the details, and so it is hidden from screen readers. */
export function Tooltip({ view }: { view: TraceView }) {
  const box = useRef<HTMLDivElement>(null)
  const span = view.hovered.value
  useEffect(() => {
    const follow = (event: PointerEvent): void => {
      const tip = box.current
      if (tip === null) return
      const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)
      const below = event.clientY + 18
      const y = below + tip.offsetHeight > innerHeight - 8 ? event.clientY - tip.offsetHeight - 12 : below
      tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`
    }
    addEventListener('pointermove', follow)
    return () => removeEventListener('pointermove', follow)
  }, [])
  const { trace } = view
  return (
    <div class="tooltip" ref={box} aria-hidden="true" hidden={span < 0}>
      {span >= 0 && (
        <>
          <b>{nameOf(trace, span).slice(0, 200)}</b>
          {labelOf(trace, span) !== '' && (
            <div class="muted ellipsis">{labelOf(trace, span).slice(0, 300)}</div>
          )}
          <div>
            {duration(trace.end[span]! - trace.start[span]!)}, {duration(view.self.value[span]!)} of it
            itself, at {duration(trace.start[span]! - trace.from)}
          </div>
          {trace.wait[span]! > 0 && <div>{duration(trace.wait[span]!)} in a queue before</div>}
          <div class="muted">
            {serviceOf(trace, span)}, {trace.threads[trace.thread[span]!]!.label}
          </div>
          {states(trace.flags[span]!).map((text) => (
            <div class="error-text" key={text}>
              {text}
            </div>
          ))}
        </>
      )}
    </div>
  )
}
