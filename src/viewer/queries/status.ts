import { VERSION } from '../../core/version.js'
import type { Status } from '../api.js'
import type { Sink } from '../receiver/sink.js'

/** `GET /api/status`. */
export function statusOf(sink: Sink, endpoint: string, db: string | null): Status {
  const { store, received } = sink
  let orphans = 0
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  store.settle()
  for (const trace of store.traces.values()) {
    orphans += trace.orphans
    const start = store.columns.start(trace.origin)
    from = Math.min(from, start)
    to = Math.max(to, start + trace.duration)
  }
  const empty = store.traces.size === 0
  const dropped = { ...sink.dropped }
  if (store.evicted.spans > 0) dropped['evicted'] = store.evicted.spans
  if (sink.logs.evicted > 0) dropped['logs-evicted'] = sink.logs.evicted
  return {
    version: VERSION,
    traces: store.traces.size,
    spans: store.spans,
    bytes: store.bytes + sink.logs.bytes,
    maxSpans: store.limits.maxSpans,
    maxBytes: store.limits.maxBytes,
    received: { ...received },
    dropped,
    orphans,
    endpoint,
    db,
    from: empty ? null : from,
    to: empty ? null : to,
  }
}
