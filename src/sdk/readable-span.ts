/**
 * Finished spans of OTLP as the objects that span processors and exporters of OpenTelemetry's SDK 2 and 3 take (`ReadableSpan` of
 * `@opentelemetry/sdk-trace`). The types are written out: nobody needs an SDK to use this package.
 */
import type { Attributes, AttributeValue, HrTime, Link, SpanContext, SpanStatus } from '@opentelemetry/api'
import { parseTracestate } from '../core/tracestate.js'
import type { Attributes as OtlpAttributes, ScopeSpans, Span } from '../otlp/types.js'
import type { SdkResource } from './resource.js'

/** A span that has ended. Times are seconds and nanoseconds since the epoch. */
export interface ReadableSpan {
  readonly name: string
  /** `SpanKind` of OpenTelemetry's API: 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number
  readonly spanContext: () => SpanContext
  readonly parentSpanContext?: SpanContext
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly duration: HrTime
  readonly ended: boolean
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: Link[]
  readonly events: ReadableEvent[]
  readonly resource: SdkResource
  readonly instrumentationScope: ReadableScope
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

/** An event of a span. */
export interface ReadableEvent {
  readonly name: string
  readonly time: HrTime
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
}

/** An instrumentation scope. */
export interface ReadableScope {
  readonly name: string
  readonly version?: string
  readonly schemaUrl?: string
}

const SECOND = 1_000_000_000n
const TRACE_FLAGS = 0xff
const IS_REMOTE = 0x200

/** The scope of a group of spans; made once for all of them. */
export function readableScope({ scope, schemaUrl }: ScopeSpans): ReadableScope {
  return {
    name: scope.name,
    ...(scope.version === '' ? {} : { version: scope.version }),
    ...(schemaUrl === '' ? {} : { schemaUrl }),
  }
}

/**
 * A span as the SDK has it: its ids, its times to the nanosecond, and all that it was told.
 * @param resource What its process is; the same object for all spans of a process, since exporters group by it.
 */
export function readableSpan(
  span: Span,
  instrumentationScope: ReadableScope,
  resource: SdkResource,
): ReadableSpan {
  const { traceId, parentSpanId, flags, startTimeUnixNano: start, endTimeUnixNano: end } = span
  const own = contextOf(span, flags)
  return {
    name: span.name,
    kind: Math.max(0, span.kind - 1),
    spanContext: () => own,
    ...(parentSpanId === ''
      ? {}
      : {
          parentSpanContext: { ...own, traceId, spanId: parentSpanId, isRemote: (flags & IS_REMOTE) !== 0 },
        }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end > start ? end - start : 0n),
    ended: true,
    status: span.status.message === '' ? { code: span.status.code } : { ...span.status },
    attributes: attributesOf(span.attributes),
    links: span.links.map((link) => ({
      context: contextOf(link, link.flags),
      attributes: attributesOf(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount,
    })),
    events: span.events.map(({ name, timeUnixNano, attributes, droppedAttributesCount }) => ({
      name,
      time: hrTime(timeUnixNano),
      attributes: attributesOf(attributes),
      droppedAttributesCount,
    })),
    resource,
    instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  }
}

function contextOf(of: { traceId: string; spanId: string; traceState: string }, flags: number): SpanContext {
  const { traceId, spanId } = of
  const traceState = of.traceState === '' ? undefined : parseTracestate(of.traceState)
  const context = { traceId, spanId, traceFlags: flags & TRACE_FLAGS }
  return traceState === undefined ? context : { ...context, traceState }
}

function hrTime(nanos: bigint): HrTime {
  return [Number(nanos / SECOND), Number(nanos % SECOND)]
}

/** In an object with the usual prototype, which exporters expect. Integers that a number cannot hold lose their last digits. */
export function attributesOf(from: OtlpAttributes): Attributes {
  const attributes: Attributes = {}
  for (const key in from) {
    if (key === '__proto__') continue
    const value = from[key]
    if (value === null || value === undefined) continue
    attributes[key] = (typeof value === 'bigint' ? Number(value) : value) as AttributeValue
  }
  return attributes
}
