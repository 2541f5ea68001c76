import type { SpanContext } from '@opentelemetry/api'

/** What a `traceparent` says. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string
  /** Of the eight bits those that Level 2 defines: 1 sampled, 2 random trace id. */
  readonly traceFlags: number
}

/** Trace flags that W3C Trace Context Level 2 defines; it wants all others to be zero. */
const KNOWN_FLAGS = 0b11

const FORMAT = /^[ \t]*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:[ \t]*|(-.*))$/s
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/**
 * Reads a `traceparent` header value (W3C Trace Context Level 2, "Traceparent Header" and "Versioning of traceparent").
 *
 * Of a version above 00 the first four fields are read and the rest is left alone; version ff is invalid.
 *
 * @returns undefined if it is not a valid one: the trace is then to be started anew.
 */
export function parseTraceparent(header: string): TraceParent | undefined {
  const match = FORMAT.exec(header)
  if (match === null) return undefined
  const [, version, traceId, spanId, flags, rest] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ]
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & KNOWN_FLAGS }
}

const TRACE_ID = /^[0-9a-f]{32}$/
const SPAN_ID = /^[0-9a-f]{16}$/

/**
 * The `traceparent` header value of a span, version 00, with the flags that Level 2 defines.
 *
 * @returns undefined where the ids are not valid ones. Upper-case digits, which OpenTelemetry's API lets through, come out lower-case.
 */
export function formatTraceparent(
  span: Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'>,
): string | undefined {
  let { traceId, spanId } = span
  if (!(TRACE_ID.test(traceId) && SPAN_ID.test(spanId))) {
    traceId = String(traceId).toLowerCase()
    spanId = String(spanId).toLowerCase()
    if (!(TRACE_ID.test(traceId) && SPAN_ID.test(spanId))) return undefined
  }
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return `00-${traceId}-${spanId}-0${span.traceFlags & KNOWN_FLAGS}`
}
