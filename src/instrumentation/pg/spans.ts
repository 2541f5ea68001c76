import type { Span, Tracer } from '@opentelemetry/api'
import { followResult } from '../../context/settled.js'
import { now } from '../../core/clock.js'
import type { Disable } from '../../hooks/channels.js'
import { guarded } from '../../hooks/guarded.js'
import { onLoads } from '../../hooks/module-loads.js'
import { holderOf, type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { noteWait, withWait } from '../connection-wait.js'
import { databaseOf, endDatabase, sqlState, startSql } from '../database-span.js'
import type { Failure } from '../traced-channel.js'
import { PG_FILE, type PgLoads } from './files.js'

/** What is read of a client, that of pg and that of pg-native alike. */
interface Client {
  readonly database?: unknown
  readonly host?: unknown
  readonly port?: unknown
  readonly connectionParameters?: {
    readonly database?: unknown
    readonly host?: unknown
    readonly port?: unknown
  }
}

/** A query that is an object of its own: pg's `Query`, a cursor, a stream. */
interface Submittable {
  readonly submit: unknown
}

let tracer: Tracer | undefined
/** Of queries that are objects of their own. */
const open = new WeakMap<object, Span>()

/**
 * pg: a span of each statement that a client is given, by itself or through a pool, until the server has answered it whole. It publishes no
 * tracing channel.
 */
export function tracePg(by: Tracer): Disable {
  tracer = by
  const forget = onLoads(new Map(loads))
  return () => {
    tracer = undefined
    forget()
  }
}

const loads: PgLoads = [
  ['./client', ({ exports, parent }) => (PG_FILE.test(parent) ? patch(exports) : undefined)],
  ['./native', ({ exports, parent }) => (PG_FILE.test(parent) ? patch(exports) : undefined)],
  ['pg-pool', ({ exports }) => patchPool(exports)],
]

function patchPool(exports: unknown): undefined {
  const prototype = prototypeOf(exports)
  if (prototype !== undefined) patchMethod(prototype, 'connect', connecting, 'spans')
}

/** Also what a pool's own `query` gets its connection by. */
function connecting(original: Method): Method {
  return function (...args) {
    const asked = now()
    const [callback] = args
    if (typeof callback === 'function') {
      args[0] = function (this: unknown, error: unknown, client: unknown, ...more: unknown[]): unknown {
        if (client) noteWait(client, asked)
        return Reflect.apply(callback, this, [error, client, ...more])
      }
      return original.apply(this, args)
    }
    const result = original.apply(this, args)
    if (!(result instanceof Promise)) return result
    return result.then((client: object) => {
      noteWait(client, asked)
      return client
    })
  }
}

function patch(exports: unknown): undefined {
  const prototype = prototypeOf(exports)
  if (prototype !== undefined) patchMethod(prototype, 'query', tracedQuery, 'spans')
}

function tracedQuery(original: Method): Method {
  return function (...args) {
    const [query] = args
    // Whatever is no query, pg refuses in its own words.
    if (tracer === undefined || query === undefined || query === null) return original.apply(this, args)
    const span = guarded('pg', () => start(tracer!, this as Client, query))
    if (span === undefined) return original.apply(this, args)
    if (!span.isRecording()) return original.apply(this, args)
    try {
      if (isSubmittable(query)) {
        // One that is frozen cannot be followed to its end.
        if (guarded('pg', () => watch(query, span)) === undefined) span.end()
        return original.apply(this, args)
      }
      const at = args.findIndex((argument, i) => i > 0 && typeof argument === 'function')
      if (at !== -1) {
        args[at] = ending(span, args[at] as Method)
        return original.apply(this, args)
      }
      return queryConfig(this, original, args, span)
    } catch (error) {
      end(span, { error })
      throw error
    }
  }
}

/** Without a callback among the arguments: one in the object that was given, or a promise. */
function queryConfig(client: unknown, original: Method, args: unknown[], span: Span): unknown {
  const config = args[0] as { callback?: unknown }
  const { callback } = config
  if (typeof callback !== 'function')
    return followResult(original.apply(client, args), (failure) => end(span, failure))
  // pg reads it at once; the object is the application's, who may use it again.
  config.callback = ending(span, callback as Method)
  try {
    return original.apply(client, args)
  } finally {
    config.callback = callback
  }
}

function start(by: Tracer, client: Client, query: unknown): Span | undefined {
  const { connectionParameters: given } = client
  const database = databaseOf(
    'postgresql',
    client.database ?? given?.database,
    client.host ?? given?.host,
    client.port ?? given?.port,
  )
  const span = startSql(by, database, 'postgresql', typeof query === 'string' ? query : textOf(query))
  return withWait(span, client)
}

/** Also of pg-query-stream, which has its text in a cursor. */
function textOf(query: unknown): unknown {
  const { text: own, cursor } = query as { text?: unknown; cursor?: { text?: unknown } }
  return own ?? cursor?.text
}

function ending(span: Span, callback: Method): Method {
  return function (...args) {
    const [error] = args
    end(span, error ? { error } : undefined)
    return callback.apply(this, args)
  }
}

function isSubmittable(query: unknown): query is Submittable {
  return typeof (query as Partial<Submittable>).submit === 'function'
}

/** The connection tells the query what has become of it. */
function watch(query: Submittable, span: Span): true {
  open.set(query, span)
  for (const name of ['handleReadyForQuery', 'handleError']) {
    const holder = holderOf(query, name)
    if (holder !== undefined) patchMethod(holder, name, told, 'spans')
  }
  return true
}

function told(original: Method): Method {
  const isError = original.name === 'handleError'
  return function (...args) {
    const span = open.get(this as object)
    if (span !== undefined) {
      open.delete(this as object)
      end(span, isError ? { error: args[0] } : undefined)
    }
    return original.apply(this, args)
  }
}

function end(span: Span, failure?: Failure): void {
  endDatabase(span, failure, sqlState)
}
