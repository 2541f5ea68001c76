import type { Filter, TraceSearch, TraceSummary } from '../api.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { shownRows } from './columns.js'
import { limitOf } from './filter.js'
import { Search } from './search.js'
import { selectTraces } from './selection.js'
import { statusText } from './status-text.js'

/** `GET /api/traces`: newest first, 100 unless told, at most 1,000. */
export function traces(store: Store, filter: Filter): TraceSummary[] {
  return selectTraces(store, filter, limitOf(filter, 100, 1000)).map((trace) => summary(store, trace))
}

/** `GET /api/trace/:traceId/search`: places of the spans that a search finds, in the columns of the trace. */
export function searchTrace(store: Store, trace: Trace, filter: Filter): TraceSearch {
  const { search } = filter
  return { spans: search === undefined ? [] : new Search(search).places(store, shownRows(store, trace)) }
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
    orphans: trace.orphans,
  }
}
