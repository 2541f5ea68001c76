import { clampWindow } from '../../model/window.js'
import { href, navigate, route } from '../route.js'
import { MODES, type TraceView } from './view.js'

/**
 * What of a view is in the address: `view`, `span` (its id), `t` (from and to, milliseconds after the start of the trace,
 * joined by `~`), `q` (the search) and `colour`. What is as it was at first is left out.
 */
type Params = Readonly<Record<string, string | undefined>>

const NAMES = ['view', 'span', 't', 'q', 'colour'] as const

function paramsOf({ trace, bounds, mode, window, selected, query, colourBy, usual }: TraceView): Params {
  const { from, to } = window.value
  const whole = from <= bounds.from && to >= bounds.to
  const digits = (time: number): string => Number((time - trace.from).toPrecision(9)).toString()
  return {
    view: mode.value === 'waterfall' ? undefined : mode.value,
    span: selected.value < 0 ? undefined : trace.ids[selected.value],
    t: whole ? undefined : `${digits(from)}~${digits(to)}`,
    q: query.value || undefined,
    colour: colourBy.value === usual ? undefined : colourBy.value,
  }
}

function same(a: Params, b: Params): boolean {
  return NAMES.every((name) => (a[name] ?? '') === (b[name] ?? ''))
}

/** What a view has just written to the address: it comes back as news, and the reader may have moved on by then. */
const written = new WeakMap<TraceView, Params>()

/** Makes the view what the address says, where they differ and the reader has gone there. */
export function fromAddress(view: TraceView, params: Params): void {
  const own = written.get(view)
  written.delete(view)
  if (same(params, paramsOf(view)) || (own !== undefined && same(params, own))) return
  const { trace, bounds } = view
  view.mode.value = MODES.find((mode) => mode === params['view']) ?? 'waterfall'
  view.query.value = params['q'] ?? ''
  const by = params['colour']
  view.colourBy.value = by === 'service' || by === 'name' || by === 'thread' ? by : view.usual
  const [from = Number.NaN, to = Number.NaN] = (params['t'] ?? '').split('~').map(Number)
  view.window.value =
    to > from ? clampWindow({ from: trace.from + from, to: trace.from + to }, bounds) : bounds
  const span = params['span'] === undefined ? -1 : trace.ids.indexOf(params['span'])
  if (span !== view.selected.peek()) view.select(span, span >= 0)
}

/** Makes the address say what the view is, a moment after it last changed. To be called in an effect. */
export function toAddress(view: TraceView): () => void {
  const params = paramsOf(view)
  const place = location.hash
  const timer = setTimeout(() => {
    const { path, params: before } = route.peek()
    // Where Back or a link has led meanwhile must stay as it is.
    if (location.hash !== place) return
    if (path[0] === 'trace' && path[1] === view.trace.id && !same(before, params)) {
      written.set(view, params)
      navigate(href(path, { ...before, ...params }), true)
    }
  }, 150)
  return () => clearTimeout(timer)
}
