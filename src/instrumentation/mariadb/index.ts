import { EventEmitter } from 'node:events'
import type { Span, Tracer } from '@opentelemetry/api'
import { bindEmitter } from '../../context/emitter.js'
import { followResult } from '../../context/settled.js'
import { capture } from '../../context/snapshot.js'
import { now } from '../../core/clock.js'
import { guarded } from '../../hooks/guarded.js'
import { observeEmit } from '../../hooks/observe-emit.js'
import { type Method, patchMethod } from '../../hooks/patch-method.js'
import { bindFunctions } from '../bind-callbacks.js'
import { CONNECTION_WAIT, noteWait, withWait } from '../connection-wait.js'
import type { Instrumentation } from '../contract.js'
import { type Database, databaseAttributes, databaseOf, endDatabase, startSql } from '../database-span.js'
import type { Failure } from '../traced-channel.js'
import { type ConnectorParts, onConnector } from './files.js'
import { databaseOfOptions } from './server.js'

/** Methods of connections and pools that send a statement, with the one that takes none. */
const STATEMENTS: Readonly<Record<string, string | undefined>> = {
  query: undefined,
  execute: undefined,
  batch: undefined,
  queryStream: undefined,
  beginTransaction: 'START TRANSACTION',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
}
/** Methods of the connector's own connections, which those call at once. */
const INNER = [
  'query',
  'prepareExecute',
  'batch',
  'changeTransaction',
  'addCommand',
  // What it is in 3.4, by the state of the connection.
  'addCommandQueue',
  'addCommandEnable',
  'addCommandEnablePipeline',
]

let tracer: Tracer | undefined
/** Where connections and pools go that were made by what a CommonJS file exports. */
const databases = new WeakMap<object, Database>()
/** The span of the call that is being made: what the connector calls for it at once knows its server. */
let calling: Span | undefined

const parts: ConnectorParts = {
  face(prototype) {
    for (const [name, sql] of Object.entries(STATEMENTS))
      patchMethod(prototype, name, (original) => stating(original, sql))
    patchMethod(prototype, 'getConnection', connecting)
  },
  inner(prototype) {
    for (const name of INNER) patchMethod(prototype, name, tellingServer)
    patchMethod(prototype, 'getConnection', waiting)
  },
  factory: (original, name) =>
    function (...args) {
      // A cluster gets its servers later.
      const database =
        name === 'createPoolCluster' ? undefined : guarded('mariadb', () => databaseOfOptions(args[0]))
      const made = original.apply(this, args)
      if (!(made instanceof Promise)) return meet(made, database)
      return made.then((connection: unknown) => meet(connection, database))
    },
}

/**
 * mariadb: a span of each statement, with promises, callbacks and streams; the wait for a connection of the pool is in it. What its callbacks and
 * streams tell runs in the context of who asked.
 */
export const mariadb: Instrumentation = {
  name: 'mariadb',
  versions: '3',
  enable(by) {
    tracer = by
    const forget = onConnector(parts)
    return () => {
      tracer = undefined
      forget()
    }
  },
  follow: () => onConnector(parts),
}

/** Follows a connection, pool or cluster whose class was not seen as it was loaded. */
function meet<T>(made: T, database: Database | undefined): T {
  guarded('mariadb', () => {
    if (database !== undefined) databases.set(made as object, database)
    parts.face(Object.getPrototypeOf(made) as object)
  })
  return made
}

/** `getConnection` of pools and clusters. */
function connecting(original: Method): Method {
  return function (...args) {
    const database = databases.get(this as object)
    const asked = now()
    const met = (connection: unknown): unknown => {
      noteWait(connection, asked)
      return meet(connection, database)
    }
    const at = args.findIndex((argument) => typeof argument === 'function')
    if (at !== -1) {
      const callback = capture().wrap(args[at] as Method)
      args[at] = function (this: unknown, error: unknown, connection: unknown, ...more: unknown[]) {
        if (connection) met(connection)
        return callback.call(this, error, connection, ...more)
      }
      return original.apply(this, args)
    }
    const result = original.apply(this, args)
    return result instanceof Promise ? result.then(met) : result
  }
}

/** `getConnection` of the connector's own pools, which tells when a statement that was given to a pool gets its connection. */
function waiting(original: Method): Method {
  return function (...args) {
    const span = calling
    const callback = args[1]
    if (span !== undefined && typeof callback === 'function') {
      guarded('mariadb', () => tellServer(span, this))
      const asked = now()
      args[1] = function (this: unknown, ...given: unknown[]): unknown {
        span.setAttribute(CONNECTION_WAIT, now() - asked)
        return Reflect.apply(callback, this, given)
      }
    }
    return original.apply(this, args)
  }
}

function tellingServer(original: Method): Method {
  return function (...args) {
    const span = calling
    if (span !== undefined) guarded('mariadb', () => tellServer(span, this))
    return original.apply(this, args)
  }
}

function tellServer(span: Span, inner: unknown): void {
  span.setAttributes(databaseAttributes(databaseOfOptions((inner as { opts?: unknown }).opts)))
}

function stating(original: Method, fixed: string | undefined): Method {
  return function (...args) {
    bindFunctions(args)
    const span =
      tracer === undefined || calling !== undefined
        ? undefined
        : guarded('mariadb', () => start(tracer!, this as object, fixed, args))
    if (!span?.isRecording()) return bound(original.apply(this, args))
    const at = args.findLastIndex((argument) => typeof argument === 'function')
    if (at !== -1) args[at] = ending(span, args[at] as Method)
    let result: unknown
    calling = span
    try {
      result = original.apply(this, args)
    } catch (error) {
      end(span, { error })
      throw error
    } finally {
      calling = undefined
    }
    if (result instanceof Promise) return followResult(result, (failure) => end(span, failure))
    if (at === -1) watch(span, result)
    return bound(result)
  }
}

function start(
  by: Tracer,
  on: object,
  fixed: string | undefined,
  [sql, values]: unknown[],
): Span | undefined {
  const database = databases.get(on) ?? databaseOf('mariadb', undefined, undefined, undefined)
  const text = fixed ?? (typeof sql === 'object' && sql !== null ? (sql as { sql?: unknown }).sql : sql)
  const span = withWait(startSql(by, database, 'mysql', text), on)
  if (Array.isArray(values) && Array.isArray(values[0]) && values.length > 1)
    span?.setAttribute('db.operation.batch.size', values.length)
  return span
}

/** A stream, or the command that stands for a statement without a callback: its listeners run in the context of who asked. */
function bound(result: unknown): unknown {
  if (result instanceof EventEmitter) bindEmitter(result, (listener) => capture().wrap(listener as never))
  return result
}

function watch(span: Span, result: unknown): void {
  if (!(result instanceof EventEmitter)) {
    span.end()
    return
  }
  let isOver = false
  observeEmit(result, (event, error) => {
    if (isOver || !['end', 'error', 'close'].includes(event as string)) return
    isOver = true
    end(span, event === 'error' ? { error } : undefined)
  })
}

function ending(span: Span, callback: Method): Method {
  return function (...args) {
    const [error] = args
    end(span, error ? { error } : undefined)
    const outer = calling
    calling = undefined
    try {
      return callback.apply(this, args)
    } finally {
      calling = outer
    }
  }
}

function end(span: Span, failure?: Failure): void {
  endDatabase(span, failure, errorCode)
}

/** MariaDB's number of an error (its knowledge base, "MariaDB Error Codes"); the connector's own have one as well. */
function errorCode(error: object): unknown {
  const { errno } = error as { errno?: unknown }
  return typeof errno === 'number' && errno > 0 ? errno : undefined
}
