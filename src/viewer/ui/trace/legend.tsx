import { useMemo } from 'preact/hooks'
import { nameOf, serviceOf } from '../../model/trace.js'
import type { TraceView } from './view.js'

/** More entries than this are no help to tell colours apart. */
const MOST = 16

interface Entry {
  readonly text: string
  readonly hue: number
  readonly query: string
}

/** What the colours of a trace stand for; an entry finds its spans. */
export function Legend({ view }: { view: TraceView }) {
  const by = view.colourBy.value
  const all = useMemo(() => entriesOf(view), [view, by])
  const shown = all.slice(0, MOST)
  return (
    <fieldset class="colours" aria-label={`Colours by ${view.colourBy.value}`}>
      {shown.map(({ text, hue, query }) => (
        <button
          key={text}
          type="button"
          class="plain"
          title={`Find ${query}`}
          aria-pressed={view.query.value === query}
          onClick={() => {
            view.query.value = view.query.peek() === query ? '' : query
          }}
        >
          <i class="swatch" style={{ background: `var(--hue-${hue})` }} />
          <span>{text}</span>
        </button>
      ))}
      {all.length > MOST && <span class="muted">and {all.length - MOST} more</span>}
    </fieldset>
  )
}

function entriesOf(view: TraceView): Entry[] {
  const { trace, colourBy } = view
  const hues = view.hues.peek()
  const by = colourBy.peek()
  const found = new Map<string, Entry>()
  if (by === 'thread') {
    for (const { thread } of view.lanes.peek().lanes) {
      const text = trace.threads[thread]!.label
      found.set(text, {
        text,
        hue: view.threadHues.peek()[thread]!,
        query: `thread="${text.replaceAll('"', '')}"`,
      })
    }
    return [...found.values()]
  }
  for (let span = 0; span < trace.size; span++) {
    const text = by === 'service' ? serviceOf(trace, span) : nameOf(trace, span)
    if (found.has(text)) continue
    found.set(text, { text, hue: hues[span]!, query: `${by}="${text.replaceAll('"', '')}"` })
    // Names are without number; the first of them are those that are seen first.
    if (found.size > 200) break
  }
  return [...found.values()]
}
