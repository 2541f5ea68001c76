import { useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { TraceColumns } from '../../api.js'
import { duration, plural } from '../../model/format.js'
import { nameOf, readTrace, serviceOf } from '../../model/trace.js'
import { pan, zoom } from '../../model/window.js'
import { useData } from '../client.js'
import { bindKeys } from '../keys.js'
import { tail } from '../live.js'
import { clock } from '../parts/filters.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { route } from '../route.js'
import { copy } from '../toast.js'
import { fromAddress, toAddress } from '../trace/address.js'
import { Details, linkTo } from '../trace/details.js'
import { followQuery } from '../trace/find.js'
import { LanesView } from '../trace/lanes.js'
import { Overview } from '../trace/overview.js'
import { treeWidth } from '../trace/splitter.js'
import { Summary } from '../trace/summary.js'
import { Toolbar } from '../trace/toolbar.js'
import { TraceView } from '../trace/view.js'
import { Waterfall } from '../trace/waterfall.js'

/** One trace. */
export function TraceScreen({ traceId }: { traceId: string }) {
  const [turn, setTurn] = useState(0)
  const { data, error } = useData<TraceColumns>(
    `/api/trace/${encodeURIComponent(traceId)}${turn === 0 ? '' : `?turn=${turn}`}`,
  )
  const view = useMemo(() => {
    if (data === null) return null
    performance.mark('threadspan:read')
    return new TraceView(readTrace(data))
  }, [data])
  if (error !== null) {
    return (
      <div class="page">
        <Failed error={error} />
        <p class="muted">The trace may have been dropped to make room for newer ones.</p>
      </div>
    )
  }
  if (view === null) return <Loading />
  if (view.trace.size === 0) {
    return (
      <Empty title="This trace has no spans">
        <p>They may still be on their way.</p>
        <button type="button" onClick={() => setTurn(turn + 1)}>
          Look again
        </button>
      </Empty>
    )
  }
  return <Shown view={view} onReload={() => setTurn(turn + 1)} />
}

function Shown({ view, onReload }: { view: TraceView; onReload: () => void }) {
  const { trace } = view
  const { params } = route.value
  useEffect(() => fromAddress(view, params), [view, params])
  useSignalEffect(() => toAddress(view))
  useEffect(() => followQuery(view), [view])
  useEffect(() => bindKeys(keys(view)), [view])
  useEffect(() => {
    const asked = requestAnimationFrame(() => performance.mark('threadspan:shown'))
    return () => cancelAnimationFrame(asked)
  }, [view])

  const arrived =
    (tail.value.find(({ traceId }) => traceId === trace.id)?.spans ?? 0) - trace.size - trace.truncated
  return (
    <div class="trace" style={{ '--tree': `min(${treeWidth.value}px, 50vw)` }}>
      <TraceHead view={view} />
      <Summary view={view} />
      {arrived > 0 && (
        <p class="notice" role="status">
          {plural(arrived, 'more span')} arrived since this was drawn.
          <button type="button" onClick={onReload}>
            Show them
          </button>
        </p>
      )}
      {trace.truncated > 0 && (
        <p class="notice">
          The trace is larger than what is shown: {plural(trace.truncated, 'span')} left out. Export it to
          have all.
        </p>
      )}
      <Overview view={view} />
      <Toolbar view={view} />
      <div class={`trace-body${view.details.value && view.selected.value >= 0 ? ' with-details' : ''}`}>
        {view.mode.value === 'waterfall' ? <Waterfall view={view} /> : <LanesView view={view} />}
        {view.details.value && view.selected.value >= 0 && <Details view={view} />}
      </div>
    </div>
  )
}

function TraceHead({ view }: { view: TraceView }) {
  const { trace } = view
  const root = view.root.value
  const file = (format: string): string => `/api/trace/${trace.id}/export?format=${format}`
  return (
    <div class="trace-head">
      <h1 class="ellipsis">{nameOf(trace, root).slice(0, 200)}</h1>
      <span class="badge">{serviceOf(trace, root) || 'unknown service'}</span>
      <span class="muted">
        {plural(trace.size, 'span')}, {duration(trace.to - trace.from)}, {clock(trace.origin + trace.from)}
      </span>
      <button
        type="button"
        class="plain mono"
        title="Copy the trace id"
        onClick={() => void copy(trace.id, 'Trace id')}
      >
        {trace.id.slice(0, 8)}…
      </button>
      <span class="grow" />
      <button type="button" onClick={() => void copy(linkTo(trace, view.selected.peek()), 'Link')}>
        Copy link
      </button>
      <a class="button" href={file('otlp')} download={`trace-${trace.id}.json`}>
        OTLP
      </a>
      <a
        class="button"
        href={file('chrome')}
        download={`trace-${trace.id}.chrome.json`}
        title="For Perfetto and chrome://tracing"
      >
        Chrome trace
      </a>
    </div>
  )
}

function keys(view: TraceView): Record<string, () => void> {
  const by = (factor: number) => () => {
    const { from, to } = view.window.peek()
    const { start, end } = view.trace
    const span = view.selected.peek()
    // Around the span under the cursor while it is in view, so that zooming leads to it.
    const middle = span < 0 ? (from + to) / 2 : (Math.max(from, start[span]!) + Math.min(to, end[span]!)) / 2
    const around = middle >= from && middle <= to ? middle : (from + to) / 2
    view.window.value = zoom(view.window.peek(), view.bounds, factor, around)
  }
  const move = (share: number) => () => {
    view.window.value = pan(view.window.peek(), view.bounds, share)
  }
  return {
    v: () => {
      view.mode.value = view.mode.peek() === 'lanes' ? 'waterfall' : 'lanes'
    },
    c: () => {
      view.critical.value = !view.critical.peek()
    },
    '+': by(0.5),
    '=': by(0.5),
    '-': by(2),
    '[': move(-0.25),
    ']': move(0.25),
    '0': () => {
      view.window.value = view.bounds
    },
    z: () => view.zoomTo(view.selected.peek()),
    n: () => view.nextMatch(1),
    N: () => view.nextMatch(-1),
    e: () => view.nextError(1),
    E: () => view.nextError(-1),
    f: () => view.foldAll(true),
    F: () => view.foldAll(false),
    y: () => void copy(linkTo(view.trace, view.selected.peek()), 'Link'),
    Escape: () => {
      view.details.value = false
    },
  }
}
