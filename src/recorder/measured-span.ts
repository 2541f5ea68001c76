import type { Attributes, AttributeValue, Span, SpanContext } from '@opentelemetry/api'
import { now } from '../core/clock.js'
import { type AttributeList, eachAttribute, ownValue } from './attributes.js'

/** A span of a request or call, as far as its duration is measured by it. */
export interface MeasurableSpan extends Span {
  /** OTLP's number: OpenTelemetry's API kind plus one. */
  readonly kind: number
  readonly name: string
  readonly attributes: AttributeList | undefined
}

/** @param duration In milliseconds. */
export type MeasureSpan = (span: MeasurableSpan, duration: number) => void

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

/** Attributes of a span that nobody records. */
const MOST = 64

/**
 * A span of a request or call that is not sampled: it is told what it is, is measured, and recorded nowhere (SDK specification, "RECORD_ONLY").
 */
export class MeasuredSpan implements MeasurableSpan {
  attributes: AttributeList | undefined
  /** Nobody asks. */
  readonly name = ''
  private readonly start = now()
  private done = false

  constructor(
    private readonly context: SpanContext,
    readonly kind: number,
    private readonly measure: MeasureSpan,
  ) {}

  spanContext(): SpanContext {
    return this.context
  }

  setAttribute(key: string, value: AttributeValue): this {
    const own = this.done || typeof key !== 'string' ? undefined : ownValue(value, Number.POSITIVE_INFINITY)
    if (own === undefined) return this
    this.attributes ??= []
    const list = this.attributes
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== key) continue
      list[i + 1] = own
      return this
    }
    if (list.length < 2 * MOST) list.push(key, own)
    return this
  }

  setAttributes(attributes: Attributes): this {
    eachAttribute(attributes, (key, value) => this.setAttribute(key, value as AttributeValue))
    return this
  }

  addEvent(): this {
    return this
  }

  addLink(): this {
    return this
  }

  addLinks(): this {
    return this
  }

  setStatus(): this {
    return this
  }

  updateName(): this {
    return this
  }

  recordException(): void {}

  end(): void {
    if (this.done) return
    this.done = true
    this.measure(this, now() - this.start)
  }

  isRecording(): boolean {
    return !this.done
  }
}
