/** What is measured of spans, where something is: it is loaded late, and few threads have it. */
import type { Attributes, Span, SpanContext } from '@opentelemetry/api'
import type { AttributeList } from './attributes.js'

/** A span of a request, call or task, as far as it is measured. */
export interface MeasurableSpan extends Span {
  /** OTLP's number: OpenTelemetry's API kind plus one. */
  readonly kind: number
  readonly name: string
  readonly attributes: AttributeList | undefined
}

export interface SpanMeasures {
  /** A span has ended whose duration is measured. @param duration In milliseconds. */
  ended(span: MeasurableSpan, duration: number): void
  /** A span of a request or call that is not sampled, and is measured. */
  unsampled(context: SpanContext, kind: number, attributes: Attributes | undefined): Span
}

/** What is measured of local roots, from their start to their end. */
export interface RootProbes {
  started(span: MeasurableSpan): void
  ended(span: MeasurableSpan): void
}

/** Kinds whose durations are measured: OTLP's SERVER and CLIENT. */
export const isMeasuredKind = (kind: number): boolean => kind === 2 || kind === 3

/** What the first attribute of a pool's spans is: that of the submitter, and that of the run. */
export const POOL = 'threadspan.pool'
export const QUEUE_WAIT = 'threadspan.queue.wait'

/** Whether the duration of a span is measured. */
export function isMeasured({ kind, attributes }: Pick<MeasurableSpan, 'kind' | 'attributes'>): boolean {
  if (isMeasuredKind(kind)) return true
  const first = kind === 1 ? attributes?.[0] : undefined
  return first === POOL || first === QUEUE_WAIT
}
