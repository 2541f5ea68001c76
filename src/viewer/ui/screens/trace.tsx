import { useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { TraceColumns } from '../../api.js'
import { plural } from '../../model/format.js'
import { readTrace } from '../../model/trace.js'
import { pan, zoom } from '../../model/window.js'
import { filtersOf, useData } from '../client.js'
import { bindKeys } from '../keys.js'
import { tail } from '../live.js'
import { Empty, Loading } from '../parts/states.js'
import { href, route } from '../route.js'
import { copy } from '../toast.js'
import { fromAddress, toAddress } from '../trace/address.js'
import { Details, linkTo } from '../trace/details.js'
import { followQuery } from '../trace/find.js'
import { Flame } from '../trace/flame.js'
import { TraceHead } from '../trace/head.js'
import { LanesView } from '../trace/lanes.js'
import { Legend } from '../trace/legend.js'
import { Overview } from '../trace/overview.js'
import { treeWidth } from '../trace/splitter.js'
import { Statistics } from '../trace/statistics.js'
import { Summary } from '../trace/summary.js'
import { Toolbar } from '../trace/toolbar.js'
import { TraceLogs } from '../trace/trace-logs.js'
import { MODES, TraceView } from '../trace/view.js'
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
    const filters = filtersOf(route.value.params)
    return (
      <Empty title="This trace is not here" alone>
        <p role="alert">
          {error.message} <code>{error.code}</code>
        </p>
        <p>
          <code class="wrap">{traceId}</code> may have left to make room for newer traces, or has not arrived
          yet.
        </p>
        <div class="row">
          <button type="button" onClick={() => setTurn(turn + 1)}>
            Look again
          </button>
          <a class="button" href={href(['traces'], filters)}>
            Go to the traces
          </a>
          <a class="button" href={href(['logs'], { search: traceId })}>
            Its logs
          </a>
        </div>
      </Empty>
    )
  }
  if (view === null) return <Loading />
  if (view.trace.size === 0) {
    return (
      <Empty title="This trace has no spans" alone>
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

  const isBoard = view.mode.value === 'waterfall' || view.mode.value === 'lanes'
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
      {isBoard && <Overview view={view} />}
      <Toolbar view={view} />
      {isBoard && <Legend view={view} />}
      <div class={`trace-body${view.details.value && view.selected.value >= 0 ? ' with-details' : ''}`}>
        <Body view={view} />
        {view.details.value && view.selected.value >= 0 && <Details view={view} />}
      </div>
    </div>
  )
}

function Body({ view }: { view: TraceView }) {
  switch (view.mode.value) {
    case 'waterfall':
      return <Waterfall view={view} />
    case 'lanes':
      return <LanesView view={view} />
    case 'statistics':
      return <Statistics view={view} />
    case 'flame':
      return <Flame view={view} />
    case 'logs':
      return <TraceLogs view={view} />
  }
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
      view.mode.value = MODES[(MODES.indexOf(view.mode.peek()) + 1) % MODES.length]!
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
