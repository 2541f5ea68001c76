import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
  TraceState,
} from '@opentelemetry/api'
import type { SpanLimits } from '../config/tracing.js'
import { now, timeOf } from '../core/clock.js'
import { hexOfWord, type TraceIdentity } from '../core/ids.js'
import { type AttributeList, isAttributeValue, ownValue } from './attributes.js'
import type { ScopeHandle } from './scope.js'

/** What a span tells when it ends. */
export interface SpanEnd {
  /** @param time Milliseconds of this thread's clock. */
  ended(span: RecordedSpan, time: number): void
  readonly limits: SpanLimits
}

export interface RecordedEvent {
  readonly name: string
  /** Milliseconds of this thread's clock. */
  readonly time: number
  readonly attributes: Attributes | undefined
  readonly dropped: number
}

export interface RecordedLink {
  readonly context: SpanContext
  readonly attributes: Attributes | undefined
  readonly dropped: number
}

/** A transaction that came with a task, by its words: most tasks never ask for it. */
export class CarriedTransaction {
  constructor(
    readonly t0: number,
    readonly t1: number,
    readonly name: string,
  ) {}

  /** The span id of its local root, 16 lower-case hexadecimal digits. */
  get id(): string {
    return hexOfWord(this.t0) + hexOfWord(this.t1)
  }
}

/** What most spans never have; made at first need, so that the common span stays small. */
export class SpanExtras {
  events: RecordedEvent[] = []
  links: RecordedLink[] = []
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks = 0
}

/**
 * A span that is recorded. Its start has been encoded into shared memory before the caller gets it, so that a thread's
 * death cannot hide it; its end is encoded by `end()`.
 *
 * Fields that the encoder reads are public within the package; applications see OpenTelemetry's `Span`.
 */
export class RecordedSpan implements Span {
  /** `AttributeList` without holes; `undefined` until the first attribute. */
  attributes: AttributeList | undefined
  /** Entries of `attributes` that are part of the encoded start. */
  encodedAttributes = 0
  /** Slot in the open-span table, 0 when it has none. */
  slot = 0
  /** Length of the encoded start in the slot; 0 when it no longer is what the span has become. */
  prefix = 0
  statusCode = 0
  statusMessage: string | undefined
  extras: SpanExtras | undefined
  /** The transaction of another thread that this local root belongs to. */
  carried: CarriedTransaction | undefined
  /** The uppermost recorded span above this one in this thread: the transaction's, or what stands for it after a crossing. */
  readonly localRoot: RecordedSpan
  private done = false
  private context: SpanContext | undefined

  constructor(
    private readonly owner: SpanEnd,
    readonly scope: ScopeHandle,
    readonly trace: TraceIdentity,
    readonly s0: number,
    readonly s1: number,
    readonly p0: number,
    readonly p1: number,
    /** W3C trace flags. */
    readonly traceFlags: number,
    readonly traceState: TraceState | undefined,
    readonly parentIsRemote: boolean,
    public name: string,
    /** OTLP's number: OpenTelemetry's API kind plus one. */
    readonly kind: number,
    /** Milliseconds of this thread's clock. */
    readonly start: number,
    parent: RecordedSpan | undefined,
  ) {
    this.localRoot = parent === undefined ? this : parent.localRoot
  }

  spanContext(): SpanContext {
    if (this.context !== undefined) return this.context
    const context: SpanContext = {
      traceId: this.trace.hex,
      spanId: hexOfWord(this.s0) + hexOfWord(this.s1),
      traceFlags: this.traceFlags,
      isRemote: false,
    }
    if (this.traceState !== undefined) context.traceState = this.traceState
    this.context = context
    return context
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.done || typeof key !== 'string' || key.length === 0) return this
    const limits = this.owner.limits
    if (typeof value === 'string') {
      if (value.length > limits.attributeValueLength) value = value.substring(0, limits.attributeValueLength)
    } else if (typeof value !== 'number' && typeof value !== 'boolean') {
      if (!isAttributeValue(value)) return this
      value = ownValue(value, limits.attributeValueLength)
    }
    const list = this.attributes
    if (list === undefined) {
      if (limits.attributeCount > 0) this.attributes = [key, value]
      else this.more().droppedAttributes++
      return this
    }
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === key) {
        list[i + 1] = value
        if (i >> 1 < this.encodedAttributes) this.prefix = 0
        return this
      }
    }
    if (list.length >> 1 < limits.attributeCount) list.push(key, value)
    else this.more().droppedAttributes++
    return this
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) {
      const value = attributes[key]
      if (value !== undefined) this.setAttribute(key, value)
    }
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.done) return this
    const { limits } = this.owner
    const extras = this.more()
    if (limits.eventCount === 0) {
      extras.droppedEvents++
      return this
    }
    const isTime =
      typeof attributesOrTime === 'number' ||
      attributesOrTime instanceof Date ||
      Array.isArray(attributesOrTime)
    const given = isTime ? undefined : (attributesOrTime as Attributes | undefined)
    // The newest events are kept: what happened last is what explains how a span ended.
    if (extras.events.length >= limits.eventCount) {
      extras.events.shift()
      extras.droppedEvents++
    }
    const { attributes, dropped } = bounded(given, limits.attributesPerEvent, limits.attributeValueLength)
    extras.events.push({
      name: textOf(name),
      time: timeOf(isTime ? (attributesOrTime as TimeInput) : time),
      attributes,
      dropped,
    })
    return this
  }

  addLink(link: Link): this {
    if (this.done) return this
    const { limits } = this.owner
    const extras = this.more()
    if (extras.links.length >= limits.linkCount || !isLinkable(link?.context)) {
      extras.droppedLinks++
      return this
    }
    const { attributes, dropped } = bounded(
      link.attributes,
      limits.attributesPerLink,
      limits.attributeValueLength,
    )
    extras.links.push({
      context: link.context,
      attributes,
      dropped: dropped + (link.droppedAttributesCount ?? 0),
    })
    return this
  }

  addLinks(links: Link[]): this {
    if (Array.isArray(links)) for (const link of links) this.addLink(link)
    return this
  }

  /** Specification "Set Status": `Ok` is final, `Unset` changes nothing, a message belongs to `Error` only. */
  setStatus(status: SpanStatus): this {
    if (this.done || !status || status.code === 0 || this.statusCode === 1) return this
    this.statusCode = status.code === 1 ? 1 : 2
    this.statusMessage =
      status.code === 2 && typeof status.message === 'string'
        ? status.message.substring(0, this.owner.limits.attributeValueLength)
        : undefined
    return this
  }

  updateName(name: string): this {
    if (this.done) return this
    this.name = textOf(name)
    this.prefix = 0
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes: Attributes = {}
    if (typeof exception === 'string') {
      attributes['exception.message'] = exception
    } else if (exception) {
      // Semantic conventions: the type is the class; a code alone has to do where there is no class.
      const type = exception.name ?? exception.code
      if (type !== undefined) attributes['exception.type'] = textOf(type)
      if (exception.message) attributes['exception.message'] = textOf(exception.message)
      if (exception.stack) attributes['exception.stacktrace'] = textOf(exception.stack)
    }
    this.addEvent('exception', attributes, time)
  }

  end(time?: TimeInput): void {
    if (this.done) return
    this.done = true
    const end = time === undefined ? now() : timeOf(time)
    this.owner.ended(this, Math.max(end, this.start))
  }

  isRecording(): boolean {
    return !this.done
  }

  /** The rare part of the span, made when first needed. */
  more(): SpanExtras {
    this.extras ??= new SpanExtras()
    return this.extras
  }
}

const TRACE_ID = /^[0-9a-f]{32}$/i
const SPAN_ID = /^[0-9a-f]{16}$/i

/** Whether a link can be written. Ids of zeros can: the specification wants such links kept. */
function isLinkable(context: SpanContext | undefined | null): boolean {
  if (context === undefined || context === null) return false
  const { traceId, spanId, traceState } = context
  return (
    typeof traceId === 'string' &&
    TRACE_ID.test(traceId) &&
    typeof spanId === 'string' &&
    SPAN_ID.test(spanId) &&
    (traceState === undefined || typeof traceState?.serialize === 'function')
  )
}

/** What was meant to be a string, as one: an object without `toString` must not throw into the application. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return String(value)
  } catch {
    return typeof value
  }
}

/** At most `count` valid attributes of an event or link, copied and cut to the limits. */
function bounded(
  given: Attributes | undefined,
  count: number,
  length: number,
): { attributes: Attributes | undefined; dropped: number } {
  if (given === undefined || given === null || typeof given !== 'object')
    return { attributes: undefined, dropped: 0 }
  const attributes: Attributes = {}
  let kept = 0
  let dropped = 0
  for (const key in given) {
    const value = given[key]
    if (!isAttributeValue(value)) continue
    if (kept < count) {
      attributes[key] = ownValue(value, length)
      kept++
    } else dropped++
  }
  return { attributes, dropped }
}
