import type { SpanDetail } from '../api.js'
import type { Logs } from '../store/logs.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { milliseconds, plainAttributes, plainText } from './plain.js'

/** Kinds of spans as text, by their number. */
export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']
const STATUS = ['unset', 'ok', 'error'] as const
const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** `GET /api/trace/:traceId/span/:spanId`, or undefined when the trace has no such span. */
export function spanDetail(store: Store, logs: Logs, trace: Trace, spanId: string): SpanDetail | undefined {
  const row = store.find(trace, spanId)
  if (row < 0) return undefined
  const span = store.decode(row)
  const { scope } = store.lanes.scopes.value(store.columns.scope[row]!)
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: KINDS[span.kind]!,
    start: milliseconds(span.startTimeUnixNano),
    duration: store.columns.duration(row),
    status: { code: STATUS[span.status.code], message: span.status.message },
    traceState: span.traceState,
    attributes: plainAttributes(span.attributes),
    events: span.events.map(({ timeUnixNano, name, attributes }) => ({
      time: milliseconds(timeUnixNano),
      name,
      attributes: plainAttributes(attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      attributes: plainAttributes(link.attributes),
    })),
    resource: plainAttributes(store.lanes.of(store.columns.lane[row]!).resource.attributes),
    scope: { name: scope.name, version: scope.version },
    dropped: {
      attributes: span.droppedAttributesCount,
      events: span.droppedEventsCount,
      links: span.droppedLinksCount,
    },
    logs: logs.of(span.traceId, span.spanId).map((record) => ({
      time: milliseconds(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano),
      severity: record.severityText || (SEVERITIES[Math.floor((record.severityNumber - 1) / 4)] ?? ''),
      body: plainText(record.body),
      attributes: plainAttributes(record.attributes),
    })),
  }
}
