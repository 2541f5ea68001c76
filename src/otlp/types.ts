/**
 * OTLP trace data as plain objects: what `decode` makes of the protobuf or JSON bytes.
 * Field meanings and numbers are those of opentelemetry-proto 1.x (`trace.proto`, `common.proto`, `resource.proto`).
 */

/** `opentelemetry.proto.common.v1.AnyValue`. Integers outside the safe range are bigints, `bytes_value` is a Uint8Array, an unset value is null. */
export type AnyValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | AnyValue[]
  | { [key: string]: AnyValue }

/** Attributes by key. Made with a null prototype, so that no key of a sender can reach `Object.prototype`. */
export interface Attributes {
  [key: string]: AnyValue
}

export interface Resource {
  attributes: Attributes
  droppedAttributesCount: number
}

export interface Scope {
  name: string
  version: string
  attributes: Attributes
  droppedAttributesCount: number
}

export interface SpanEvent {
  /** Nanoseconds since the Unix epoch. */
  timeUnixNano: bigint
  name: string
  attributes: Attributes
  droppedAttributesCount: number
}

export interface SpanLink {
  /** 32 lower-case hexadecimal digits. */
  traceId: string
  /** 16 lower-case hexadecimal digits. */
  spanId: string
  traceState: string
  attributes: Attributes
  droppedAttributesCount: number
  flags: number
}

/** `Status.code`: 0 unset, 1 ok, 2 error. */
export type StatusCode = 0 | 1 | 2

/** `SpanKind`: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
export type SpanKind = 0 | 1 | 2 | 3 | 4 | 5

export interface Span {
  /** 32 lower-case hexadecimal digits. */
  traceId: string
  /** 16 lower-case hexadecimal digits. */
  spanId: string
  /** 16 lower-case hexadecimal digits, or the empty string for a root. */
  parentSpanId: string
  traceState: string
  /** Bits 0-7: W3C trace flags; bit 8: HAS_IS_REMOTE; bit 9: IS_REMOTE. */
  flags: number
  name: string
  kind: SpanKind
  /** Nanoseconds since the Unix epoch. */
  startTimeUnixNano: bigint
  /** Nanoseconds since the Unix epoch. */
  endTimeUnixNano: bigint
  attributes: Attributes
  droppedAttributesCount: number
  events: SpanEvent[]
  droppedEventsCount: number
  links: SpanLink[]
  droppedLinksCount: number
  status: { code: StatusCode; message: string }
}

export interface ScopeSpans {
  scope: Scope
  spans: Span[]
  schemaUrl: string
}

export interface ResourceSpans {
  resource: Resource
  scopeSpans: ScopeSpans[]
  schemaUrl: string
}

/** `ExportTraceServiceRequest`, and a `TracesData` line of an OTLP JSON file. */
export interface TraceRequest {
  resourceSpans: ResourceSpans[]
}
