import type { Filter, Neighbour, Neighbours, Sample, TraceSearch, TraceSummary } from '../api.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { shownRows } from './columns.js'
import { type Order, orderOf, type Paged, paged, type Sorting } from './paging.js'
import { plainText } from './plain.js'
import { Search } from './search.js'
import { select, selectTraces, typeOf } from './selection.js'
import { isError, statusText } from './status-text.js'

/** `GET /api/traces`: newest first unless sorted, 100 unless told, at most 1,000. */
export function traces(store: Store, filter: Filter): Paged<TraceSummary> {
  return paged(selectTraces(store, filter), filter, ofTraces(store)).map((trace) => summary(store, trace))
}

/** `GET /api/samples`: transactions, newest first unless sorted, 100 unless told, at most 1,000. */
export function samples(store: Store, filter: Filter): Paged<Sample> {
  return paged(select(store, filter), filter, ofSamples(store)).map((row) => sample(store, row))
}

/** `GET /api/trace/:traceId/search`: places of the spans that a search finds, in the columns of the trace. */
export function searchTrace(store: Store, trace: Trace, filter: Filter): TraceSearch {
  const { search } = filter
  return { spans: search === undefined ? [] : new Search(search).places(store, shownRows(store, trace)) }
}

/** `GET /api/trace/:traceId/neighbours` */
export function neighbours(store: Store, trace: Trace, spanId: string | null, filter: Filter): Neighbours {
  const { columns } = store
  if (spanId !== null && /^[0-9a-f]{16}$/.test(spanId)) {
    const row = store.find(trace, spanId)
    return around(
      select(store, filter),
      row,
      orderOf(filter, ofSamples(store)),
      (a, b) => columns.duration(b) - columns.duration(a),
      (each) => isError(store, each),
      (each) => ({ traceId: store.traceOf(each).id, spanId: columns.spanId(each) }),
    )
  }
  return around(
    selectTraces(store, filter),
    trace,
    orderOf(filter, ofTraces(store)),
    (a, b) => b.duration - a.duration,
    (each) => each.errors > 0,
    ({ id }) => ({ traceId: id }),
  )
}

/** What stands around one thing in a list that is never sorted as a whole. */
function around<T>(
  all: readonly T[],
  one: T,
  order: Order<T>,
  slower: Order<T>,
  failed: (thing: T) => boolean,
  name: (thing: T) => Neighbour,
): Neighbours {
  const here = all.indexOf(one)
  let [place, previous, next, slowest, failedNext, failedFirst] = [0, -1, -1, -1, -1, -1]
  // Equals stand as they came.
  const compare = (a: number, b: number) => order(all[a]!, all[b]!) || a - b
  const best = (a: number, b: number) => (b < 0 || compare(a, b) < 0 ? a : b)
  for (let i = 0; i < all.length; i++) {
    if (slowest < 0 || slower(all[i]!, all[slowest]!) < 0) slowest = i
    const isFailed = failed(all[i]!)
    if (isFailed && i !== here) failedFirst = best(i, failedFirst)
    if (here < 0 || i === here) continue
    if (compare(i, here) < 0) {
      place++
      if (previous < 0 || compare(i, previous) > 0) previous = i
    } else {
      next = best(i, next)
      if (isFailed) failedNext = best(i, failedNext)
    }
  }
  const named = (i: number) => (i < 0 ? null : name(all[i]!))
  return {
    place: here < 0 ? -1 : place,
    total: all.length,
    previous: named(previous),
    next: named(next),
    slowest: named(slowest),
    failed: named(failedNext < 0 ? failedFirst : failedNext),
  }
}

/** The summary of a settled trace. */
export function summary(store: Store, trace: Trace): TraceSummary {
  const { columns, lanes, names } = store
  return {
    traceId: trace.id,
    service: lanes.of(columns.lane[trace.root]!).service,
    name: names.value(columns.name[trace.root]!),
    start: columns.start(trace.origin),
    duration: trace.duration,
    spans: trace.spans,
    errors: trace.errors,
    threads: trace.threads,
    processes: trace.processes,
    status: statusText(store, trace.root),
    failed: isError(store, trace.root),
    path: pathOf(store, trace.root),
    orphans: trace.orphans,
  }
}

function sample(store: Store, row: number): Sample {
  const { columns, lanes, names } = store
  const trace = store.traceOf(row)
  const { service, host } = lanes.of(columns.lane[row]!)
  return {
    traceId: trace.id,
    spanId: columns.spanId(row),
    service,
    name: names.value(columns.name[row]!),
    type: typeOf(store, row),
    path: pathOf(store, row),
    host,
    start: columns.start(row),
    duration: columns.duration(row),
    status: statusText(store, row),
    failed: isError(store, row),
    spans: trace.spans,
    threads: trace.threads,
  }
}

const MAX_PATH = 300

/** What tells a span from others of its name: the path that was asked for, else a URL, a statement or a queue. */
function pathOf(store: Store, row: number): string {
  const { bytes, scan } = store.scan(row)
  if (scan.labelKey === 0) return ''
  const label = bytes.toString('utf8', scan.labelAt, scan.labelEnd).slice(0, MAX_PATH)
  const { attributes } = store.decode(row)
  const path = plainText(attributes['url.path'] ?? attributes['http.target'])
  const query = plainText(attributes['url.query'])
  return (path === '' ? label : query === '' ? path : `${path}?${query}`).slice(0, MAX_PATH)
}

function ofTraces(store: Store): Sorting<Trace> {
  const { columns, lanes, names } = store
  return {
    by: {
      start: ({ origin }) => columns.start(origin),
      duration: ({ duration }) => duration,
      name: ({ root }) => names.value(columns.name[root]!),
      service: ({ root }) => lanes.of(columns.lane[root]!).service,
      status: ({ root }) => statusText(store, root),
      errors: ({ errors }) => errors,
      spans: ({ spans }) => spans,
      threads: ({ threads }) => threads,
      processes: ({ processes }) => processes,
    },
    otherwise: 'start',
    limit: 100,
    most: 1000,
  }
}

function ofSamples(store: Store): Sorting<number> {
  const { columns, lanes, names } = store
  return {
    by: {
      start: (row) => columns.start(row),
      duration: (row) => columns.duration(row),
      name: (row) => names.value(columns.name[row]!),
      service: (row) => lanes.of(columns.lane[row]!).service,
      host: (row) => lanes.of(columns.lane[row]!).host,
      status: (row) => statusText(store, row),
      spans: (row) => store.traceOf(row).spans,
      threads: (row) => store.traceOf(row).threads,
    },
    otherwise: 'start',
    limit: 100,
    most: 1000,
  }
}
