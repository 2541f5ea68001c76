import { useRef, useState } from 'preact/hooks'
import type { Distribution } from '../../api.js'
import { duration, plural } from '../../model/format.js'
import { recall, remember } from '../memory.js'

interface Props {
  readonly buckets: Distribution['buckets']
  /** The selected range, milliseconds; absent: none. */
  readonly min: number | undefined
  readonly max: number | undefined
  readonly onSelect: (min: number | undefined, max: number | undefined) => void
}

/**
 * The latency distribution. Dragging over it selects a range; from the keyboard, arrows move, Enter selects a bucket and
 * Shift with Enter extends to it.
 */
export function Histogram({ buckets, min, max, onSelect }: Props) {
  const [drag, setDrag] = useState<readonly [number, number] | null>(null)
  const [at, setAt] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const [isLog, setLog] = useState(recall('log.distribution') === 'on')
  const tallest = Math.max(1, ...buckets.map(({ count }) => count))
  const current = Math.min(at, buckets.length - 1)

  const inside = (i: number): boolean => {
    if (drag !== null) return i >= Math.min(...drag) && i <= Math.max(...drag)
    if (min === undefined && max === undefined) return false
    const { from, to } = buckets[i]!
    return to > (min ?? Number.NEGATIVE_INFINITY) && from < (max ?? Number.POSITIVE_INFINITY)
  }
  const choose = (a: number, b: number): void =>
    onSelect(buckets[Math.min(a, b)]!.from, buckets[Math.max(a, b)]!.to)
  const indexAt = (x: number): number => {
    const { left, width } = box.current!.getBoundingClientRect()
    return Math.min(buckets.length - 1, Math.max(0, Math.floor(((x - left) / width) * buckets.length)))
  }
  const focus = (i: number): void => {
    const next = Math.min(buckets.length - 1, Math.max(0, i))
    setAt(next)
    box.current?.querySelectorAll('button')[next]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowRight') focus(current + 1)
    else if (event.key === 'ArrowLeft') focus(current - 1)
    else if (event.key === 'Home') focus(0)
    else if (event.key === 'End') focus(buckets.length - 1)
    else if (event.key === 'Escape') onSelect(undefined, undefined)
    else if (event.key === 'Enter' || event.key === ' ') {
      const first = buckets.findIndex((_, i) => inside(i))
      choose(event.shiftKey && first >= 0 ? first : current, current)
    } else return
    event.preventDefault()
  }

  return (
    <div class="histogram">
      <div class="histogram-top">
        <span class="muted" aria-hidden="true">
          most: {tallest.toLocaleString('en-US')}
        </span>
        <button
          type="button"
          class="small"
          aria-pressed={isLog}
          title="Heights by the logarithm of the count"
          onClick={() => {
            setLog(!isLog)
            remember('log.distribution', isLog ? 'off' : 'on')
          }}
        >
          Log
        </button>
      </div>
      <div
        class="bars"
        ref={box}
        role="toolbar"
        aria-label="Latency distribution"
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0) return
          const i = indexAt(event.clientX)
          box.current!.setPointerCapture(event.pointerId)
          setDrag([i, i])
        }}
        onPointerMove={(event) => drag !== null && setDrag([drag[0], indexAt(event.clientX)])}
        onPointerUp={() => {
          if (drag === null) return
          choose(...drag)
          setAt(drag[1])
          setDrag(null)
        }}
        onPointerCancel={() => setDrag(null)}
      >
        {buckets.map(({ from, to, count, errors }, i) => {
          const words = `${duration(from)} to ${duration(to)}: ${plural(count, 'transaction')}${errors > 0 ? `, ${errors} failed` : ''}`
          const share = isLog ? Math.log1p(count) / Math.log1p(tallest) : count / tallest
          const height = count === 0 ? 0 : Math.max(2, share * 124)
          return (
            <button
              key={from}
              type="button"
              tabIndex={i === current ? 0 : -1}
              aria-pressed={inside(i)}
              aria-label={words}
              title={words}
            >
              <i style={{ height: `${height * (1 - errors / Math.max(1, count))}px` }} />
              {errors > 0 && (
                <i class="bad" style={{ height: `${Math.max(2, (height * errors) / count)}px` }} />
              )}
            </button>
          )
        })}
      </div>
      <div class="scale" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => {
          const bucket = buckets[Math.min(buckets.length - 1, Math.floor(share * buckets.length))]!
          return <span key={share}>{duration(share === 1 ? bucket.to : bucket.from)}</span>
        })}
      </div>
    </div>
  )
}
