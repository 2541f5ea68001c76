import { useEffect, useMemo } from 'preact/hooks'
import type { Neighbour, Neighbours, SpanDetail } from '../../api.js'
import { count, duration, plural } from '../../model/format.js'
import { ERROR, nameOf, serviceOf } from '../../model/trace.js'
import { api, filtersOf, sortOf, useData } from '../client.js'
import { clock } from '../clock.js'
import { bindKeys } from '../keys.js'
import { Menu } from '../parts/menu.js'
import { href, navigate, route } from '../route.js'
import { copy } from '../toast.js'
import { linkTo } from './details.js'
import type { TraceView } from './view.js'

/** What a trace is, in two lines: what was asked and answered, where and when; and the way to others of the list it was opened from. */
export function TraceHead({ view }: { view: TraceView }) {
  const { trace } = view
  const root = view.root.value
  const { data } = useData<SpanDetail>(`/api/trace/${trace.id}/span/${trace.ids[root]}`)
  const file = (format: string): string => `/api/trace/${trace.id}/export?format=${format}`
  const name = nameOf(trace, root)
  useEffect(() => {
    document.title = `${name} · trace ${trace.id.slice(0, 8)} · threadspan`
  }, [name, trace])
  const failed = useMemo(() => trace.flags.reduce((many, flags) => many + (flags & ERROR), 0), [trace])
  const { status, url, host } = data === null ? NONE : told(data)
  return (
    <div class="trace-head">
      <div class="line">
        <BackToList />
        <h1 class="ellipsis" title={name.slice(0, 1000)}>
          {name.slice(0, 200)}
        </h1>
        {status !== '' && (
          <span class={`badge${data?.status.code === 'error' || /^5/.test(status) ? ' bad' : ''}`}>
            {status}
          </span>
        )}
        {failed > 0 && (
          <button
            type="button"
            class="small bad"
            title="Go to the next (e)"
            onClick={() => view.nextError(1)}
          >
            {plural(failed, 'failed span')}
          </button>
        )}
        <span class="grow" />
        <Pager view={view} />
      </div>
      <div class="line muted">
        <span class="ellipsis facts-line">
          {[
            serviceOf(trace, root) || 'unknown service',
            url,
            host === '' ? '' : `on ${host}`,
            duration(trace.to - trace.from),
            plural(trace.size, 'span'),
            clock(trace.origin + trace.from),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
        <span class="grow" />
        <button type="button" class="small" title={trace.id} onClick={() => void copy(trace.id, 'Trace id')}>
          Copy id
        </button>
        <button
          type="button"
          class="small"
          title="A link to this view (y)"
          onClick={() => void copy(linkTo(trace, view.selected.peek()), 'Link')}
        >
          Copy link
        </button>
        <Menu label="Save" small>
          {FILES.map(([format, name, ending]) => (
            <a key={format} class="button" href={file(format)} download={`trace-${trace.id}.${ending}`}>
              {name}
            </a>
          ))}
        </Menu>
      </div>
    </div>
  )
}

/** Forms that a trace is saved in. */
const FILES = [
  ['otlp', 'OTLP JSON', 'otlp.json'],
  ['chrome', 'Chrome trace, for Perfetto', 'chrome.json'],
  ['pprof', 'pprof profile', 'pb.gz'],
  ['csv', 'CSV, a row for each span', 'csv'],
] as const

const NONE = { status: '', url: '', host: '' }

/** Status, URL and host as the span that stands for the trace tells them. */
function told({ attributes, resource, status }: SpanDetail): typeof NONE {
  const text = (...names: string[]): string => {
    for (const name of names) {
      const value = attributes[name]
      if (typeof value === 'string' || typeof value === 'number') return String(value)
    }
    return ''
  }
  const code = text('http.response.status_code', 'http.status_code')
  const path = text('url.path', 'http.target')
  const query = text('url.query')
  const method = text('http.request.method', 'http.method')
  const url = text('url.full', 'http.url') || (query === '' ? path : `${path}?${query}`)
  return {
    status: code === '' ? (status.code === 'unset' ? '' : status.code) : code,
    url: url === '' ? '' : `${method} ${url}`.trim(),
    host: typeof resource['host.name'] === 'string' ? resource['host.name'] : '',
  }
}

/** The list that the trace was opened from, or that it is in. */
function BackToList() {
  const { params } = route.value
  const { sample, samples, sort } = params
  const filters = filtersOf(params)
  return (
    <nav class="crumbs" aria-label="Where this is">
      {sample === undefined ? (
        <a href={href(['traces'], { ...filters, sort })}>Traces</a>
      ) : (
        <a href={href(['transactions'], { ...filters, samples })}>Samples</a>
      )}
      <span aria-hidden="true">/</span>
    </nav>
  )
}

/** Where the trace stands in the list it was opened from, and its neighbours there. */
function Pager({ view }: { view: TraceView }) {
  const { params } = route.value
  const sample = params['sample']
  const server = sample === undefined ? 'sort' : 'samples'
  const { data } = useData<Neighbours>(
    api(`trace/${view.trace.id}/neighbours`, params, { ...sortOf(params[server]), sample }),
  )
  const to = (other: Neighbour | null): string | undefined => {
    if (other === null) return undefined
    const { view: mode, colour, samples, sort } = params
    const { traceId, spanId } = other
    const kept = { ...filtersOf(params), view: mode, colour, samples, sort, sample: spanId, span: spanId }
    return href(['trace', traceId], kept)
  }
  const previous = to(data?.previous ?? null)
  const next = to(data?.next ?? null)
  useEffect(
    () =>
      bindKeys({
        ',': () => previous !== undefined && navigate(previous),
        '.': () => next !== undefined && navigate(next),
      }),
    [previous, next],
  )
  if (data === null || data.total < 2) return null
  const list = sample === undefined ? 'Trace' : 'Sample'
  return (
    <nav class="pager" aria-label="Other samples">
      <span class="muted">
        {data.place < 0
          ? `${count(data.total)} others`
          : `${list} ${count(data.place + 1)} of ${count(data.total)}`}
      </span>
      <Other to={previous} label="Previous" title="Previous (,)" />
      <Other to={next} label="Next" title="Next (.)" />
      <Other to={to(data.slowest)} label="Slowest" title="The slowest of them" />
      <Other to={to(data.failed)} label="Failed" title="The next that failed" />
    </nav>
  )
}

function Other({ to, label, title }: { to: string | undefined; label: string; title: string }) {
  if (to === undefined) {
    return (
      <button type="button" class="small" disabled>
        {label}
      </button>
    )
  }
  return (
    <a class="button small" href={to} title={title}>
      {label}
    </a>
  )
}
