/** All that a thread logs with, put together. It is loaded with the first logger. */
import type { Context, TimeInput } from '@opentelemetry/api'
import { type LoggingConfig, readLoggingConfig } from '../config/logs.js'
import type { Environment } from '../config/variables.js'
import type { spanOf } from '../context/context.js'
import type { isRecorded } from '../context/exception.js'
import type { transactionIn } from '../context/transaction.js'
import type { now, timeOf, unixNano, writeUnixNano } from '../core/clock.js'
import type { describeException } from '../exceptions/exception.js'
import { encodeKeyValues, encodeScope } from '../otlp/encode.js'
import { encodeLog } from '../otlp/encode-log.js'
import type { LogRecord } from '../otlp/logs-types.js'
import type { Attributes } from '../otlp/types.js'
import { idsIn } from '../recorder/input.js'
import type { Ring } from '../ring/ring.js'
import type { LineKeys } from './line.js'
import { type ApiLoggerProvider, type EncodedScope, loggerProvider, spanFields } from './provider.js'
import { writeField } from './record.js'
import { ERROR } from './severity.js'
import { jsonShows, shownOf } from './shown.js'
import type { ActiveIds, LoggedLine, LoggedRecord, LoggerScope, LogTarget } from './target.js'
import { type EncodedKeys, encodeKeys, writeLine } from './write-line.js'

/** What the thread has. Functions, since this part is loaded apart, and would have a clock and a context of its own. */
export interface ThreadLoggingOptions {
  readonly relay: {
    /** This thread's ring; undefined where there is none. */
    ring(): Ring | undefined
  }
  readonly env: Environment
  /** Whether records are exported by somebody else. */
  readonly isLeft: boolean
  readonly contextApi: { active(): Context }
  readonly spanOf: typeof spanOf
  readonly transactionIn: typeof transactionIn
  readonly now: typeof now
  readonly timeOf: typeof timeOf
  readonly unixNano: typeof unixNano
  readonly writeUnixNano: typeof writeUnixNano
  readonly describeException: typeof describeException
  readonly isRecorded: typeof isRecorded
  readonly captureError: (error: unknown) => void
}

/** Scopes beyond this many share that of the first one: names that are made of data must not grow without end. */
const MOST = 1000
const NOTHING = new Uint8Array(0)

export class ThreadLogging implements LogTarget {
  private readonly config: LoggingConfig
  private readonly scopes = new Map<string, number>()
  /** The same by the objects that bridges keep for them, which are found without making a name. */
  private readonly known = new WeakMap<LoggerScope | EncodedScope, number>()
  private readonly keys = new WeakMap<LineKeys, EncodedKeys>()
  private made: ApiLoggerProvider | undefined
  private successor: ApiLoggerProvider | undefined
  private exports: boolean

  constructor(private readonly options: ThreadLoggingOptions) {
    this.config = readLoggingConfig(options.env)
    this.exports = this.config.exports && !options.isLeft
  }

  get addsFields(): boolean {
    return this.config.fields !== 'none'
  }

  get takesRecords(): boolean {
    return this.exports || this.config.errors
  }

  /** Whether what goes through `console` is logged. */
  get followsConsole(): boolean {
    return this.config.console && this.takesRecords
  }

  /** From now on records are exported by somebody else. */
  leave(): void {
    this.exports = false
  }

  /** For OpenTelemetry's API. */
  get provider(): ApiLoggerProvider {
    this.made ??= loggerProvider({
      limits: this.config,
      nanos: this.nanos,
      idsOf: this.idsOf,
      describe: this.options.describeException,
      emit: (scope, record) => this.write(scope, record),
      successor: () => this.successor,
    })
    return this.made
  }

  /** The application has registered a LoggerProvider of its own, which gets the records of loggers that were made before as well. */
  yieldTo(provider: unknown): void {
    const { getLogger } = Object(provider) as Partial<ApiLoggerProvider>
    if (typeof getLogger === 'function') this.successor = provider as ApiLoggerProvider
  }

  active(): ActiveIds | undefined {
    return this.idsOf()
  }

  private readonly idsOf = (context: Context = this.options.contextApi.active()): ActiveIds | undefined => {
    const span = idsIn(context, this.options.spanOf)
    if (span === undefined) return undefined
    const transaction = this.options.transactionIn(context)
    // A span can be the root of another trace than the transaction that it is made in.
    return { span, transactionId: transaction?.traceId === span.traceId ? transaction.id : undefined }
  }

  /** A time in nanoseconds since the epoch; the present one for undefined. */
  private readonly nanos = (time?: TimeInput): bigint => {
    const { now, timeOf, unixNano } = this.options
    return unixNano(time === undefined ? now() : timeOf(time))
  }

  private readonly stamp = (words: Int32Array, at: number): void =>
    this.options.writeUnixNano(words, at, this.options.now())

  fieldsOf({ span, transactionId }: ActiveIds): readonly (readonly [string, string])[] {
    const { fields } = this.config
    const { traceId, spanId } = span
    const all: (readonly [string, string])[] = []
    if (fields !== 'ecs') {
      const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0')
      all.push(['trace_id', traceId], ['span_id', spanId], ['trace_flags', flags])
    }
    if (fields !== 'otel') {
      all.push(['trace.id', traceId], ['span.id', spanId])
      if (transactionId !== undefined) all.push(['transaction.id', transactionId])
    }
    return all
  }

  line(scope: LoggerScope, { severity, keys, line, error }: LoggedLine, ids: ActiveIds | undefined): void {
    try {
      if (error !== undefined) this.captured(severity, error)
      const ring = this.exports ? this.options.relay.ring() : undefined
      if (ring === undefined) return
      const { describeException, isRecorded } = this.options
      const exception =
        error === undefined
          ? NOTHING
          : isRecorded(error)
            ? undefined
            : encodeKeyValues(0x0a, shownOf(describeException(error), error, jsonShows(line)), 0)
      writeLine(
        ring,
        this.stamp,
        this.scope(ring, scope),
        line,
        severity,
        this.keysOf(keys),
        ids?.span,
        exception,
      )
    } catch {
      this.options.relay.ring()?.dropLog('unencodable')
    }
  }

  record(
    scope: LoggerScope,
    { severity, level, body, attributes, error, shows }: LoggedRecord,
    ids: ActiveIds | undefined,
  ): void {
    try {
      if (error !== undefined) this.captured(severity, error)
      if (!this.exports) return
      const time = this.nanos()
      this.write(scope, {
        timeUnixNano: time,
        observedTimeUnixNano: time,
        severityNumber: severity,
        severityText: level,
        body,
        attributes: error === undefined ? attributes : { ...attributes, ...this.exceptionOf(error, shows) },
        droppedAttributesCount: 0,
        eventName: '',
        ...spanFields(ids?.span),
      })
    } catch {
      this.options.relay.ring()?.dropLog('unencodable')
    }
  }

  /** What a span tells of is not told by the same names again. */
  private exceptionOf(error: unknown, shows: LoggedRecord['shows']): Readonly<Record<string, string>> {
    if (this.options.isRecorded(error)) return {}
    const description = this.options.describeException(error)
    return shows === undefined ? description : shownOf(description, error, shows)
  }

  private captured(severity: number, error: unknown): void {
    const { isRecorded, captureError } = this.options
    if (this.config.errors && severity >= ERROR && !isRecorded(error)) captureError(error)
  }

  private write(scope: LoggerScope | EncodedScope, record: LogRecord): void {
    const ring = this.options.relay.ring()
    if (ring === undefined) return
    let field = encodeLog(record)
    if (field === undefined || field.length > ring.maxRecord - 16)
      field = encodeLog(shortened(record, ring.maxRecord >> 2))
    if (field === undefined) ring.dropLog('too-large')
    else writeField(ring, this.scope(ring, scope), field)
  }

  private scope(ring: Ring, scope: LoggerScope | EncodedScope): number {
    let id = this.known.get(scope)
    if (id === undefined) {
      id =
        'encoded' in scope
          ? this.define(ring, scope.encoded, scope.schemaUrl)
          : this.define(ring, encodeScope(scope.name, scope.version), '')
      this.known.set(scope, id)
    }
    return id
  }

  private define(ring: Ring, encoded: Uint8Array, schemaUrl: string): number {
    const name = `${Buffer.from(encoded).toString('latin1')}\n${schemaUrl}`
    let id = this.scopes.get(name)
    if (id === undefined) {
      if (this.scopes.size >= MOST) return this.scopes.values().next().value!
      id = ring.defineScope(encoded, schemaUrl)
      this.scopes.set(name, id)
    }
    return id
  }

  private keysOf(keys: LineKeys): EncodedKeys {
    let encoded = this.keys.get(keys)
    if (encoded === undefined) {
      encoded = encodeKeys(keys)
      this.keys.set(keys, encoded)
    }
    return encoded
  }
}

/** Characters of a text that a record which no ring can take keeps. */
const CUT = 2048

/** A record that no ring can take, cut so that it arrives and says so. @param most Characters of its text. */
function shortened(record: LogRecord, most: number): LogRecord {
  const { body } = record
  const attributes: Attributes = Object.create(null)
  let left = 16
  for (const [key, value] of Object.entries(record.attributes)) {
    if (left-- === 0) break
    if (typeof value !== 'object') attributes[key] = typeof value === 'string' ? value.slice(0, CUT) : value
  }
  attributes['threadspan.truncated'] = true
  const dropped = Object.keys(record.attributes).length - (Object.keys(attributes).length - 1)
  return {
    ...record,
    body: typeof body === 'string' ? body.slice(0, most >> 2) : typeof body === 'object' ? null : body,
    attributes,
    droppedAttributesCount: record.droppedAttributesCount + dropped,
  }
}
