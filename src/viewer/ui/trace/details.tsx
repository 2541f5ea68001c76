import { useEffect, useRef, useState } from 'preact/hooks'
import type { SpanDetail } from '../../api.js'
import { count, duration, offset, percent } from '../../model/format.js'
import { labelOf, nameOf, serviceOf, type Trace } from '../../model/trace.js'
import { filtersOf, useData } from '../client.js'
import { Stack } from '../parts/stack.js'
import { Failed, Loading } from '../parts/states.js'
import { href, route } from '../route.js'
import { copy } from '../toast.js'
import { groupsOf } from './attribute-groups.js'
import { Attributes, Section } from './attributes.js'
import type { TraceView } from './view.js'
import { states } from './words.js'

/** Everything about the span under the cursor. */
export function Details({ view }: { view: TraceView }) {
  const { trace } = view
  const span = view.selected.value
  const box = useRef<HTMLElement>(null)
  const [json, setJson] = useState(false)
  const id = trace.ids[span]!
  const { data, error } = useData<SpanDetail>(`/api/trace/${trace.id}/span/${id}`)
  const detail = data?.spanId === id ? data : null
  useEffect(() => {
    box.current?.querySelector('.details-body')?.scrollTo(0, 0)
  }, [span])

  const time = trace.end[span]! - trace.start[span]!
  const critical = view.path.value.time[span]!
  return (
    <aside
      class="details"
      aria-label="Span details"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        view.details.value = false
        document.querySelector<HTMLElement>('.board-scroll')?.focus()
      }}
    >
      <header>
        <h2 class="grow">{nameOf(trace, span).slice(0, 1000)}</h2>
        <button
          type="button"
          class="plain"
          aria-label="Close details"
          onClick={() => (view.details.value = false)}
        >
          ×
        </button>
      </header>
      <div class="row details-actions">
        <button type="button" onClick={() => void copy(linkTo(trace, span), 'Link')}>
          Copy link
        </button>
        <button type="button" onClick={() => view.zoomTo(span)}>
          Zoom to
        </button>
        <button type="button" aria-pressed={json} onClick={() => setJson(!json)}>
          JSON
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse */}
      <section class="details-body" tabIndex={0} aria-label="Details">
        {states(trace.flags[span]!).map((text) => (
          <p class="notice bad" key={text}>
            {text}
          </p>
        ))}
        {labelOf(trace, span) !== '' && <p class="muted clamp">{labelOf(trace, span).slice(0, 2000)}</p>}
        <dl class="facts">
          <Fact name="Duration" value={duration(time)} />
          <Fact name="Self time" value={duration(view.self.value[span]!)} />
          <Fact name="Starts at" value={offset(trace.start[span]! - trace.from)} />
          <Fact
            name="On the critical path"
            value={critical > 0 ? `${duration(critical)}, ${percent(time > 0 ? critical / time : 0)}` : 'no'}
          />
          {trace.wait[span]! > 0 && <Fact name="Waited in a queue" value={duration(trace.wait[span]!)} />}
          <Fact name="Service" value={serviceOf(trace, span) || '–'} />
          <Fact name="Thread" value={trace.threads[trace.thread[span]!]!.label} />
          <Fact
            name="Process"
            value={trace.processes[trace.threads[trace.thread[span]!]!.process]?.label ?? '–'}
          />
          <Fact name="Spans below" value={count(trace.tree.below[span]!)} />
        </dl>
        {error !== null && <Failed error={error} />}
        {detail === null && error === null && <Loading />}
        {detail !== null && (json ? <Json detail={detail} /> : <Parts view={view} detail={detail} />)}
      </section>
    </aside>
  )
}

/** The address of a trace with one of its spans open. */
export function linkTo(trace: Trace, span: number): string {
  const { span: _span, ...params } = Object.fromEntries(
    new URLSearchParams(location.hash.split('?')[1] ?? ''),
  )
  const to = href(['trace', trace.id], { ...params, ...(span >= 0 && { span: trace.ids[span]! }) })
  return new URL(to, location.href).href
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Json({ detail }: { detail: SpanDetail }) {
  const text = JSON.stringify(detail, null, 2)
  return (
    <>
      <button type="button" onClick={() => void copy(text, 'JSON')}>
        Copy JSON
      </button>
      <pre class="json">{text}</pre>
    </>
  )
}

function Parts({ view, detail }: { view: TraceView; detail: SpanDetail }) {
  const lost = Object.entries(detail.dropped).filter(([, many]) => many > 0)
  const find = (term: string): void => {
    view.query.value = term
  }
  const service = String(detail.resource['service.name'] ?? '')
  const thread = detail.attributes['thread.id']
  const at = `${detail.start}~${detail.start + detail.duration}`
  const around = {
    from: Math.floor(detail.start - 60_000),
    to: Math.ceil(detail.start + detail.duration + 60_000),
  }
  return (
    <>
      {detail.status.message !== '' && <p class="notice bad">{detail.status.message}</p>}
      {detail.errorGroup !== null && (
        <p>
          <a href={href(['errors', detail.errorGroup], filtersOf(route.value.params))}>
            All errors like this one
          </a>
        </p>
      )}
      {groupsOf(detail.attributes).map(([title, of]) => (
        <Section key={title} title={title} many={Object.keys(of).length} open>
          <Attributes of={of} onFilter={find} />
        </Section>
      ))}
      {lost.length > 0 && (
        <p class="notice">
          Left out by limits: {lost.map(([what, many]) => `${count(many)} ${what}`).join(', ')}
        </p>
      )}
      <Section title="Events" many={detail.events.length} open>
        {detail.events.map(({ time, name, attributes, stack }, i) => (
          <div class="event" key={i}>
            <h3>
              {name} <span class="muted">{offset(time - detail.start)}</span>
            </h3>
            {stack !== undefined && stack.length > 0 ? (
              <>
                <p class="error-text wrap">
                  {String(attributes['exception.type'] ?? 'Error')}:{' '}
                  {String(attributes['exception.message'] ?? '')}
                </p>
                <Stack frames={stack} />
                <Attributes of={withoutStack(attributes)} onFilter={find} />
              </>
            ) : (
              <Attributes of={attributes} onFilter={find} />
            )}
          </div>
        ))}
      </Section>
      <Section title="Logs" many={detail.logs.length} open>
        {detail.logs.map(({ time, severity, body, attributes }, i) => (
          <div class="event" key={i}>
            <h3>
              {severity} <span class="muted">{offset(time - detail.start)}</span>
            </h3>
            <pre>{body}</pre>
            <Attributes of={attributes} />
          </div>
        ))}
      </Section>
      <Section title="Links" many={detail.links.length} open>
        {detail.links.map(({ traceId, spanId, attributes }) => (
          <div class="event" key={`${traceId}${spanId}`}>
            <Link view={view} traceId={traceId} spanId={spanId} />
            <Attributes of={attributes} />
          </div>
        ))}
      </Section>
      <Section title="Linked from" many={detail.linkedFrom.length} open>
        {detail.linkedFrom.map(({ traceId, spanId, name, service: from }) => (
          <div class="event" key={`${traceId}${spanId}`}>
            <Link view={view} traceId={traceId} spanId={spanId} name={`${name} of ${from}`} />
          </div>
        ))}
      </Section>
      <p class="row">
        {detail.process !== '' && (
          <>
            {thread !== undefined && (
              <a href={href(['processes', detail.process], { ...around, at, thread: String(thread) })}>
                Metrics of its thread then
              </a>
            )}
            <a href={href(['processes', detail.process], { ...around, at })}>Metrics of its process then</a>
          </>
        )}
        <a href={href(['logs'], { service, ...around })}>Logs of its service then</a>
      </p>
      <Section title="Resource" many={Object.keys(detail.resource).length}>
        <Attributes of={detail.resource} onFilter={find} />
      </Section>
      <dl class="facts">
        <Fact name="Span id" value={detail.spanId} />
        <Fact name="Parent id" value={detail.parentSpanId || 'none'} />
        <Fact name="Kind" value={detail.kind} />
        <Fact name="Status" value={detail.status.code} />
        <Fact name="Scope" value={`${detail.scope.name} ${detail.scope.version}`.trim() || '–'} />
        {detail.traceState !== '' && <Fact name="tracestate" value={detail.traceState} />}
      </dl>
    </>
  )
}

function withoutStack(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { 'exception.stacktrace': _stack, 'exception.message': _message, ...rest } = attributes
  return rest
}

interface LinkProps {
  readonly view: TraceView
  readonly traceId: string
  readonly spanId: string
  readonly name?: string
}

function Link({ view, traceId, spanId, name }: LinkProps) {
  const here = traceId === view.trace.id ? view.trace.ids.indexOf(spanId) : -1
  if (here >= 0) {
    return (
      <button type="button" class="link" onClick={() => view.select(here, true)}>
        {nameOf(view.trace, here)} in this trace
      </button>
    )
  }
  return (
    <a href={href(['trace', traceId], { span: spanId })} class="mono">
      {name ?? `Trace ${traceId.slice(0, 8)}…, span ${spanId}`}
    </a>
  )
}
