import type { Attributes, AttributeValue, Span, SpanContext } from '@opentelemetry/api'
import { now } from '../core/clock.js'
import { type AttributeList, eachAttribute, ownValue } from '../recorder/attributes.js'
import type { MeasurableSpan } from '../recorder/measured.js'

/** Attributes of a span that nobody records. */
const MOST = 64

/**
 * A span of a request or call that is not sampled: it is told what it is, is measured, and recorded nowhere (SDK specification, "RECORD_ONLY").
 */
export class MeasuredSpan implements MeasurableSpan, Span {
  attributes: AttributeList | undefined
  /** Nobody asks. */
  readonly name = ''
  private readonly start = now()
  private done = false

  /** @param ended Called with its duration, in milliseconds. */
  constructor(
    private readonly context: SpanContext,
    readonly kind: number,
    private readonly ended: (span: MeasurableSpan, duration: number) => void,
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
    this.ended(this, now() - this.start)
  }

  isRecording(): boolean {
    return !this.done
  }
}
