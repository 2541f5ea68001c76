import { useMemo, useState } from 'preact/hooks'
import { hueOf } from '../../model/colour.js'
import { type FlameNode, flame } from '../../model/flame.js'
import { duration, percent, plural } from '../../model/format.js'
import type { TraceView } from './view.js'

const ROW = 22
/** Narrower parts, as a share of what is shown, are left out: they could not be told apart. */
const LEAST = 0.001

/** A trace merged by the names on the way from the root: how much self time lies in each, and below it. */
export function Flame({ view }: { view: TraceView }) {
  const nodes = useMemo(() => flame(view.trace, view.self.value), [view])
  const [zoomed, setZoomed] = useState(0)
  const base = nodes[zoomed]!
  const shown = useMemo(() => visible(nodes, zoomed), [nodes, zoomed])
  const depth = shown.reduce((most, i) => Math.max(most, nodes[i]!.depth), 0)
  return (
    <div class="beside">
      <p class="muted">
        Spans with the same names on the way from the root, laid together; as wide as their self time and that
        of all below, parallel time added up. A click shows a part as the whole
        {zoomed > 0 && ', one on what is above goes back'}.
      </p>
      <div class="flame" style={{ height: `${(depth + 1) * ROW}px` }}>
        {shown.map((i) => {
          const node = nodes[i]!
          const outer = node.depth < base.depth
          const left = outer ? 0 : (node.left - base.left) / base.busy
          const width = outer ? 1 : node.busy / base.busy
          const text = wordsOf(node, nodes[0]!.busy)
          return (
            <button
              key={i}
              type="button"
              class={outer ? 'outer' : ''}
              title={text}
              aria-label={text}
              aria-pressed={i === zoomed}
              style={{
                left: `${left * 100}%`,
                width: `${width * 100}%`,
                top: `${node.depth * ROW}px`,
                background: `var(--hue-${node.depth === 0 ? 6 : hueOf(node.name)})`,
              }}
              onClick={() => setZoomed(i)}
            >
              {width > 0.02 && node.name}
            </button>
          )
        })}
      </div>
    </div>
  )
}

function visible(nodes: readonly FlameNode[], zoomed: number): number[] {
  const base = nodes[zoomed]!
  const out: number[] = []
  for (let at = base.up; at >= 0; at = nodes[at]!.up) out.unshift(at)
  const stack = [zoomed]
  while (stack.length > 0) {
    const i = stack.pop()!
    if (i !== zoomed && nodes[i]!.busy < base.busy * LEAST) continue
    out.push(i)
    stack.push(...nodes[i]!.children.toReversed())
  }
  return out
}

function wordsOf({ name, service, count, busy, self }: FlameNode, whole: number): string {
  if (service === '' && count === 0) return `All: ${duration(busy)}`
  const share = percent(whole > 0 ? busy / whole : 0)
  return `${name}, ${service}: ${plural(count, 'span')}, ${duration(busy)} (${share}), ${duration(self)} itself`
}
