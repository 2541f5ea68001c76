/** What bridges of loggers hand on, and what they ask: they know nothing of how records travel. */
import type { SpanContext } from '@opentelemetry/api'
import type { AnyValue, Attributes } from '../otlp/types.js'
import type { LineKeys } from './line.js'

/** What is active where a line is logged. */
export interface ActiveIds {
  readonly span: SpanContext
  /** Span id of the transaction's local root; undefined outside of any. */
  readonly transactionId: string | undefined
}

/** A record that a logger has made. */
export interface LoggedRecord {
  /** Of OpenTelemetry's data model: 1 to 24; 0 where it is not known. */
  readonly severity: number
  /** The level's name. */
  readonly level: string
  readonly body: AnyValue
  readonly attributes: Attributes
  /** What was thrown, where the record tells of something. */
  readonly error?: unknown
  /** Whether the line has a text; undefined where nothing has been taken out of it. */
  readonly shows?: ((text: string) => boolean) | undefined
}

/** A line of JSON that a logger has made. */
export interface LoggedLine {
  readonly severity: number
  readonly keys: LineKeys
  readonly line: string
  /** The error that the line tells of; undefined where it tells of none. */
  readonly error?: unknown
}

/** A logger's library. */
export interface LoggerScope {
  readonly name: string
  readonly version?: string | undefined
}

export interface LogTarget {
  /** Whether records, or the errors that they tell of, go anywhere now. */
  readonly takesRecords: boolean
  /** Whether ids are added to the application's own lines. */
  readonly addsFields: boolean
  /** What is active now; undefined outside of any span. */
  active(): ActiveIds | undefined
  /** The ids by the names that were chosen, in the order in which they are written. */
  fieldsOf(ids: ActiveIds): readonly (readonly [name: string, value: string])[]
  /** Hands a record on. Never throws. The scope is to be the same object again for the same logger. */
  record(scope: LoggerScope, record: LoggedRecord, ids: ActiveIds | undefined): void
  /** Hands a line on. Never throws. The scope, and the line's keys, are to be the same objects again for the same logger. */
  line(scope: LoggerScope, line: LoggedLine, ids: ActiveIds | undefined): void
}
