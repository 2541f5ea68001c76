/**
 * A LoggerProvider for `@opentelemetry/api-logs`, whose types are repeated here as far as they are used: programs without that package need
 * none of it.
 */
import type { Context, SpanContext, TimeInput } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { encodeScope } from '../otlp/encode.js'
import type { LogRecord } from '../otlp/logs-types.js'
import type { AnyValue, Attributes } from '../otlp/types.js'
import { read } from '../recorder/input.js'
import { plainValue } from './plain-value.js'
import type { ActiveIds } from './target.js'

/** `LogRecord` of the API. */
interface ApiLogRecord {
  readonly eventName?: unknown
  readonly timestamp?: TimeInput
  readonly observedTimestamp?: TimeInput
  readonly severityNumber?: unknown
  readonly severityText?: unknown
  readonly body?: unknown
  readonly attributes?: unknown
  readonly exception?: unknown
  readonly context?: Context
}

/** `Logger` of the API. */
export interface ApiLogger {
  emit(record: ApiLogRecord): void
  /** Newer ones have it. */
  enabled?(options?: object): boolean
}

/** `LoggerProvider` of the API. */
export interface ApiLoggerProvider {
  getLogger(name: string, version?: string, options?: object): ApiLogger
}

/** The scope of one logger. */
export interface EncodedScope {
  readonly encoded: Uint8Array
  readonly schemaUrl: string
}

interface ProviderOptions {
  readonly limits: { readonly attributeCount: number; readonly attributeValueLength: number }
  readonly nanos: (time?: TimeInput) => bigint
  readonly idsOf: (context?: Context) => ActiveIds | undefined
  readonly describe: (error: unknown) => Readonly<Record<string, string>>
  readonly emit: (scope: EncodedScope, record: LogRecord) => void
  /** Whom the application has registered since. */
  readonly successor: () => ApiLoggerProvider | undefined
}

/** Characters of a level's or an event's name that are kept. */
const MOST_NAME = 256

export function loggerProvider(options: ProviderOptions): ApiLoggerProvider {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    getLogger(name, version, given) {
      const own = read(given, 'scopeAttributes') ?? read(given, 'attributes')
      const scope = {
        encoded: encodeScope(text(name), text(version), scopeAttributesOf(own)),
        schemaUrl: text(read(given, 'schemaUrl')),
      }
      return new Logger(options, scope, read(given, 'includeTraceContext') !== false, (provider) =>
        provider.getLogger(name, version, given),
      )
    },
  }
}

class Logger implements ApiLogger {
  constructor(
    private readonly options: ProviderOptions,
    private readonly scope: EncodedScope,
    private readonly hasTrace: boolean,
    private readonly from: (provider: ApiLoggerProvider) => ApiLogger,
  ) {}

  private next: ApiLogger | undefined

  /** The same logger of whom the application has registered since. */
  private get other(): ApiLogger | undefined {
    const provider = this.next === undefined ? this.options.successor() : undefined
    if (provider !== undefined) this.next = this.from(provider)
    return this.next
  }

  enabled(options?: object): boolean {
    return this.other?.enabled?.(options) ?? true
  }

  /** Never throws, while records are taken here. */
  emit(given: ApiLogRecord): void {
    const { other } = this
    if (other !== undefined) {
      other.emit(given)
      return
    }
    try {
      this.options.emit(this.scope, this.recordOf(fieldsOf(given)))
    } catch {
      count('log.record')
    }
  }

  private recordOf(given: ApiLogRecord): LogRecord {
    const { limits, nanos, idsOf, describe } = this.options
    const observed = nanos(given.observedTimestamp)
    const { attributes, dropped } = this.attributesOf(given.attributes)
    if (given.exception !== undefined && given.exception !== null) {
      for (const [key, value] of Object.entries(describe(given.exception))) attributes[key] ??= value
    }
    const number = given.severityNumber
    return {
      timeUnixNano: given.timestamp === undefined ? observed : nanos(given.timestamp),
      observedTimeUnixNano: observed,
      severityNumber: typeof number === 'number' && number >= 0 && number <= 24 ? Math.floor(number) : 0,
      severityText: nameOf(given.severityText),
      body: bodyOf(given.body, limits.attributeValueLength),
      attributes,
      droppedAttributesCount: dropped,
      eventName: nameOf(given.eventName),
      ...spanFields(this.hasTrace ? idsOf(given.context)?.span : undefined),
    }
  }

  private attributesOf(given: unknown): { attributes: Attributes; dropped: number } {
    const { attributeCount, attributeValueLength } = this.options.limits
    const attributes: Attributes = Object.create(null)
    let kept = 0
    let dropped = 0
    if (typeof given !== 'object' || given === null) return { attributes, dropped }
    let keys: string[] = []
    try {
      keys = Object.keys(given)
    } catch {
      count('log.value')
    }
    for (const key of keys) {
      if (kept >= attributeCount) {
        dropped++
        continue
      }
      let value: AnyValue | undefined
      try {
        value = plainValue((given as Record<string, unknown>)[key], attributeValueLength)
      } catch {
        count('log.value')
      }
      if (value === undefined) continue
      attributes[key] = value
      kept++
    }
    return { attributes, dropped }
  }
}

/** A list is none, nor is what cannot be read. */
function scopeAttributesOf(given: unknown): Attributes {
  const plain = plainValue(given, 1024)
  const isMap = typeof plain === 'object' && plain !== null && Object.getPrototypeOf(plain) === null
  return isMap ? (plain as Attributes) : {}
}

/** Each field by itself: one that cannot be read takes no other with it. */
function fieldsOf(given: unknown): ApiLogRecord {
  return {
    eventName: read(given, 'eventName'),
    timestamp: read(given, 'timestamp') as TimeInput,
    observedTimestamp: read(given, 'observedTimestamp') as TimeInput,
    severityNumber: read(given, 'severityNumber'),
    severityText: read(given, 'severityText'),
    body: read(given, 'body'),
    attributes: read(given, 'attributes'),
    exception: read(given, 'exception'),
    context: read(given, 'context') as Context,
  }
}

function bodyOf(given: unknown, length: number): AnyValue {
  try {
    return plainValue(given, length) ?? null
  } catch {
    count('log.value')
    return null
  }
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MOST_NAME) : ''
}

/** The ids of a record. */
export function spanFields(span: SpanContext | undefined): Pick<LogRecord, 'traceId' | 'spanId' | 'flags'> {
  if (span === undefined) return { traceId: '', spanId: '', flags: 0 }
  return { traceId: span.traceId, spanId: span.spanId, flags: span.traceFlags & 0xff }
}
