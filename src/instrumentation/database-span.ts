/** What spans of database clients have in common, by OpenTelemetry's semantic conventions for database client calls (stable). */
import {
  type Attributes,
  type Context,
  context as contextApi,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { live } from '../config/live.js'
import { count } from '../core/counters.js'
import { redactText } from '../exceptions/redact-text.js'
import { errorType } from './error-type.js'
import { type Dialect, MOST_SUMMARY, readStatement } from './sql-statement.js'
import { isSuppressed } from './suppressed.js'
import type { Failure } from './traced-channel.js'

/** Where a call goes. */
export interface Database {
  /** `db.system.name`. */
  readonly system: 'postgresql' | 'mysql' | 'mariadb' | 'sqlite' | 'mongodb' | 'redis'
  /** Database, or index of one. */
  readonly namespace?: string | undefined
  /** Host, or path of a socket. */
  readonly address?: string | undefined
  readonly port?: number | undefined
}

/** What a client says of where its calls go: whatever is none of it is left out. */
export function databaseOf(
  system: Database['system'],
  namespace: unknown,
  address: unknown,
  port: unknown,
): Database {
  return {
    system,
    namespace: typeof namespace === 'number' ? String(namespace) : textOf(namespace),
    address: textOf(address),
    port: Number(port) || undefined,
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What the span of a call to it has. */
export function databaseAttributes(database: Database): Attributes {
  const { system, namespace } = database
  // `db.system` is what the conventions said before they were stable, and what many backends still read.
  const attributes: Attributes = { 'db.system.name': system, 'db.system': system }
  if (namespace !== undefined && namespace !== '') attributes['db.namespace'] = namespace
  return Object.assign(attributes, serverAttributes(database))
}

/** Which server it is, for the spans of clients that tell it late. */
export function serverAttributes({ address, port }: Database): Attributes {
  const attributes: Attributes = {}
  if (address !== undefined && address !== '') {
    attributes['server.address'] = address
    if (port !== undefined && !address.startsWith('/')) attributes['server.port'] = port
  }
  return attributes
}

function isStatementTold(): boolean {
  return live.now?.().values.capture_statement !== false
}

/**
 * Starts the span of an SQL statement, the child of what is active. It shows the statement without its literals, and none of its values.
 *
 * @param begun when and where it began, if that was not here and now.
 * @returns undefined where nothing is to be traced.
 */
export function startSql(
  tracer: Tracer,
  database: Database,
  dialect: Dialect,
  sql: unknown,
  begun?: { readonly startTime: number; readonly context: Context },
): Span | undefined {
  const active = begun?.context ?? contextApi.active()
  if (isSuppressed(active)) return undefined
  const attributes = databaseAttributes(database)
  let name: string = database.namespace ?? database.system
  if (typeof sql === 'string') {
    const { text, summary, operation, collection } = readStatement(sql, dialect)
    if (isStatementTold()) attributes['db.query.text'] = text
    if (summary !== '') {
      attributes['db.query.summary'] = summary
      name = summary
    }
    if (operation !== undefined) attributes['db.operation.name'] = operation
    if (collection !== undefined) attributes['db.collection.name'] = collection
  }
  const { startTime } = begun ?? {}
  return tracer.startSpan(
    name,
    { kind: SpanKind.CLIENT, attributes, ...(startTime !== undefined && { startTime }) },
    active,
  )
}

/** A command, or several that go together. */
export interface Operation {
  readonly name: string
  /** What it is done to. */
  readonly collection?: string | undefined
  /** What is shown of it. */
  readonly text?: string | undefined
  /** How many commands it is. */
  readonly size?: number | undefined
  /** Whether clients also do it by themselves, which is of interest as part of something only. */
  readonly isUpkeep?: boolean
}

/**
 * Starts the span of a command that is no SQL, the child of what is active.
 *
 * @param operation undefined for one that is not to be shown.
 * @returns undefined where nothing is to be traced.
 */
export function startOperation(
  tracer: Tracer,
  database: Database,
  operation: Operation | undefined,
): Span | undefined {
  if (operation === undefined) return undefined
  const active = contextApi.active()
  if (isSuppressed(active)) return undefined
  const { name, collection, text, size, isUpkeep } = operation
  if (isUpkeep && trace.getSpan(active) === undefined) return undefined
  const attributes = databaseAttributes(database)
  attributes['db.operation.name'] = name
  if (text !== undefined && isStatementTold()) attributes['db.query.text'] = text
  // One command is no batch, by the conventions.
  if (size !== undefined && size > 1) attributes['db.operation.batch.size'] = size
  if (collection === undefined) return tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, active)
  const summary = `${name} ${collection}`.slice(0, MOST_SUMMARY)
  attributes['db.collection.name'] = collection
  attributes['db.query.summary'] = summary
  return tracer.startSpan(summary, { kind: SpanKind.CLIENT, attributes }, active)
}

/** Characters of a message. */
const MOST_MESSAGE = 256
/** A quotation, as far as one can reach: what is quoted may hold quotes. An apostrophe in a word begins none. */
const QUOTED = /(?<!\w)(['"`])[\s\S]*\1/g
/** One that was cut off. */
const OPEN_QUOTE = /(?<!\w)['"`][\s\S]*$/

/** What a server says, without what it quotes: that is what the application has sent, or a name, and nobody can tell which. */
function withoutQuotations(message: string): string {
  const bare = message
    .slice(0, 4 * MOST_MESSAGE)
    .replace(QUOTED, '?')
    .replace(OPEN_QUOTE, '?')
  return redactText(bare.slice(0, MOST_MESSAGE))
}

/**
 * Ends the span of a call. One that failed has the code that the server gave, and the message without what is quoted in it: it leaves as an
 * error to whoever called, and is recorded with its stack where it arrives.
 *
 * @param code what the server calls the failure (SQLSTATE, an error number); undefined where it was none of the server's.
 * @param message what is shown in place of the error's own message; undefined for that.
 */
export function endDatabase(
  span: Span,
  failure?: Failure,
  code?: (error: object) => unknown,
  message?: (error: object) => string | undefined,
): void {
  try {
    if (failure !== undefined) describeFailure(span, failure.error, code, message)
  } catch {
    count('database.failure')
  }
  span.end()
}

function describeFailure(
  span: Span,
  error: unknown,
  code?: (error: object) => unknown,
  text?: (error: object) => string | undefined,
): void {
  const isObject = typeof error === 'object' && error !== null
  const given = isObject ? code?.(error) : undefined
  if (typeof given === 'string' || typeof given === 'number') {
    span.setAttribute('db.response.status_code', String(given))
    span.setAttribute('error.type', String(given))
  } else {
    span.setAttribute('error.type', errorType(error))
  }
  const message = isObject ? (text?.(error) ?? (error as { message?: unknown }).message) : error
  span.setStatus({ code: SpanStatusCode.ERROR, message: withoutQuotations(String(message ?? '')) })
}

/** What PostgreSQL calls a failure (its manual, "PostgreSQL Error Codes"); a system's error is none of its. */
export function sqlState(error: object): unknown {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[\dA-Z]{5}$/.test(code) ? code : undefined
}
