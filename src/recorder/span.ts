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
import { noteTold } from '../context/exception.js'
import { now, type Origin, originOf, timeOf } from '../core/clock.js'
import { hexOfWord, type TraceIdentity } from '../core/ids.js'
import { textOf } from '../core/text.js'
import { type AttributeList, bounded, eachAttribute, ownValue } from './attributes.js'
import { eachLink, exceptionOf, linkOf, read } from './input.js'
import type { ScopeHandle } from './scope.js'

/** What a span tells when it ends. */
export interface SpanEnd {
  /**
   * @param time Milliseconds of this thread's clock.
   * @param origin That by which it is written.
   */
  ended(span: RecordedSpan, time: number, origin: Origin): void
  readonly limits: SpanLimits
}

export interface RecordedEvent {
  readonly name: string
  /** Milliseconds of this thread's clock. */
  readonly time: number
  /** That by which the time is written. */
  readonly origin: Origin
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
  /** That by which the start is written. */
  readonly origin: Origin
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
    this.origin = originOf(parent?.origin)
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
    this.put(key, value, this.attributes === undefined ? 0 : this.attributes.length)
    return this
  }

  /** @param known How much of the list there was before: the keys of one object differ, and are not compared with each other. */
  private put(key: string, value: AttributeValue, known: number): void {
    if (this.done || typeof key !== 'string' || key.length === 0) return
    const limits = this.owner.limits
    const own = ownValue(value, limits.attributeValueLength)
    if (own === undefined) return
    const list = this.attributes
    if (list === undefined) {
      if (limits.attributeCount > 0) this.attributes = [key, own]
      else this.more().droppedAttributes++
      return
    }
    for (let i = 0; i < known; i += 2) {
      if (list[i] === key) {
        list[i + 1] = own
        if (i >> 1 < this.encodedAttributes) this.prefix = 0
        return
      }
    }
    if (list.length >> 1 < limits.attributeCount) list.push(key, own)
    else this.more().droppedAttributes++
  }

  setAttributes(attributes: Attributes): this {
    if (typeof attributes !== 'object') return this
    try {
      const known = this.attributes === undefined ? 0 : this.attributes.length
      for (const key of Object.keys(attributes)) this.put(key, attributes[key]!, known)
    } catch {
      // A getter or a proxy: once more, so that what can be read is kept.
      eachAttribute(attributes, (key, value) => this.setAttribute(key, value as AttributeValue))
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
    const isTime = isTimeInput(attributesOrTime)
    const given = isTime ? undefined : (attributesOrTime as Attributes | undefined)
    const at = isTime ? (attributesOrTime as TimeInput) : time
    const { attributes, dropped } = bounded(given, limits.attributesPerEvent, limits.attributeValueLength)
    // The newest events are kept: what happened last is what explains how a span ended.
    if (extras.events.length >= limits.eventCount) {
      extras.events.shift()
      extras.droppedEvents++
    }
    extras.events.push({
      name: textOf(name),
      time: timeOf(at, this.origin),
      origin: at === undefined ? originOf(this.origin) : this.origin,
      attributes,
      dropped,
    })
    return this
  }

  addLink(link: Link): this {
    if (this.done) return this
    const { limits } = this.owner
    const extras = this.more()
    const own = extras.links.length >= limits.linkCount ? undefined : linkOf(link)
    if (own === undefined) {
      extras.droppedLinks++
      return this
    }
    const { attributes, dropped } = bounded(
      own.attributes,
      limits.attributesPerLink,
      limits.attributeValueLength,
    )
    extras.links.push({ context: own.context, attributes, dropped: dropped + own.dropped })
    return this
  }

  addLinks(links: Link[]): this {
    eachLink(links, (link) => this.addLink(link))
    return this
  }

  /** Specification "Set Status": `Ok` is final, `Unset` and what is no code change nothing, a message belongs to `Error` only. */
  setStatus(status: SpanStatus): this {
    if (this.done || this.statusCode === 1) return this
    const code = read(status, 'code')
    if (code !== 1 && code !== 2) return this
    this.statusCode = code
    const message = code === 2 ? read(status, 'message') : undefined
    this.statusMessage =
      typeof message === 'string' ? message.substring(0, this.owner.limits.attributeValueLength) : undefined
    return this
  }

  updateName(name: string): this {
    if (this.done) return this
    this.name = textOf(name)
    this.prefix = 0
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.addEvent('exception', exceptionOf(exception), time)
    noteTold(exception, this)
  }

  end(time?: TimeInput): void {
    if (this.done) return
    this.done = true
    const { start, origin } = this
    if (time === undefined) this.owner.ended(this, Math.max(now(), start), originOf(origin))
    else this.owner.ended(this, Math.max(timeOf(time, origin), start), origin)
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

function isTimeInput(value: unknown): value is TimeInput {
  if (typeof value === 'number') return true
  if (typeof value !== 'object') return false
  try {
    return Array.isArray(value) || value instanceof Date
  } catch {
    return false
  }
}
