/** What SQLite's clients have in common: a database prepares statements, and each call of one does its work before it returns. */
import { basename } from 'node:path'
import { type Context, context as contextApi, type Tracer } from '@opentelemetry/api'
import { now } from '../../core/clock.js'
import { guarded } from '../../hooks/guarded.js'
import { type Method, patchMethod } from '../../hooks/patch-method.js'
import { type Database, databaseOf, endDatabase, startSql } from '../database-span.js'
import type { Failure } from '../traced-channel.js'

/** What a client lets one see of its objects. */
export interface SqliteClient {
  /** The path of a database's file; empty or null for one in memory, undefined where it is not known. */
  fileOf(database: object): unknown
  /** The database and text of a statement that was not prepared by the application itself. */
  readonly sourceOf?: (statement: object) => { readonly database: object; readonly sql: unknown }
}

interface Prepared {
  readonly database: Database
  readonly sql: unknown
}

interface Steps {
  next: Method
  return?: Method
}

/** The statement that is at work in this thread: what it calls of itself is part of it. */
let atWork: object | undefined

/** Makes a span of each call of one client. */
export class SqliteCalls {
  tracer: Tracer | undefined
  private readonly client: SqliteClient
  private readonly prepared = new WeakMap<object, Prepared>()
  private readonly databases = new WeakMap<object, Database>()

  constructor(client: SqliteClient) {
    this.client = client
  }

  /** @param methods has the methods `exec` and `prepare` of databases. */
  follow(methods: object): void {
    const calls = this
    patchMethod(
      methods,
      'exec',
      (original) =>
        function (...args) {
          return calls.call(this as object, original, args, () => calls.toDatabase(this as object, args[0]))
        },
      'spans',
    )
    patchMethod(
      methods,
      'prepare',
      (original) =>
        function (...args) {
          return calls.prepare(this as object, original, args)
        },
      'spans',
    )
  }

  /** Makes spans of the methods of `prototype`, each of which runs a statement. */
  followStatements(
    prototype: object,
    preparedOf = (statement: object, _args: unknown[]) => this.of(statement),
  ): void {
    const calls = this
    for (const name of ['run', 'get', 'all']) {
      patchMethod(
        prototype,
        name,
        (original) =>
          function (...args) {
            return calls.call(this as object, original, args, () => preparedOf(this as object, args))
          },
        'spans',
      )
    }
    patchMethod(
      prototype,
      'iterate',
      (original) =>
        function (...args) {
          return calls.iterate(this as object, original, args, () => preparedOf(this as object, args))
        },
      'spans',
    )
  }

  toDatabase(database: object, sql: unknown): Prepared {
    let known = this.databases.get(database)
    if (known === undefined) {
      const file = this.client.fileOf(database)
      const name = typeof file === 'string' && file !== '' ? basename(file) : ':memory:'
      known = databaseOf('sqlite', file === undefined ? undefined : name, undefined, undefined)
      this.databases.set(database, known)
    }
    return { database: known, sql }
  }

  private of(statement: object): Prepared | undefined {
    const known = this.prepared.get(statement)
    if (known !== undefined || this.client.sourceOf === undefined) return known
    const { database, sql } = this.client.sourceOf(statement)
    return this.toDatabase(database, sql)
  }

  private prepare(database: object, original: Method, args: unknown[]): unknown {
    let statement: unknown
    try {
      statement = original.apply(database, args)
    } catch (error) {
      // A statement that SQLite cannot read fails here.
      guarded('sqlite', () => {
        const span = this.start(() => this.toDatabase(database, args[0]))
        if (span !== undefined) end(span, { error })
      })
      throw error
    }
    guarded('sqlite', () => {
      this.followStatements(Object.getPrototypeOf(statement) as object)
      this.prepared.set(statement as object, this.toDatabase(database, args[0]))
    })
    return statement
  }

  private start(preparedOf: () => Prepared | undefined, options?: { startTime: number; context: Context }) {
    return guarded('sqlite', () => {
      const prepared = preparedOf()
      if (this.tracer === undefined || prepared === undefined) return undefined
      return startSql(this.tracer, prepared.database, 'sqlite', prepared.sql, options)
    })
  }

  private call(
    target: object,
    original: Method,
    args: unknown[],
    preparedOf: () => Prepared | undefined,
  ): unknown {
    if (this.tracer === undefined || atWork === target) return original.apply(target, args)
    const span = this.start(preparedOf)
    if (!span?.isRecording()) return original.apply(target, args)
    const outer = atWork
    atWork = target
    try {
      const result = original.apply(target, args)
      end(span)
      return result
    } catch (error) {
      end(span, { error })
      throw error
    } finally {
      atWork = outer
    }
  }

  /** The span of an iteration is made when it has come to its end: one that is given up half-way is never heard of again. */
  private iterate(
    target: object,
    original: Method,
    args: unknown[],
    preparedOf: () => Prepared | undefined,
  ): unknown {
    if (this.tracer === undefined || atWork === target) return original.apply(target, args)
    const begun = { startTime: now(), context: contextApi.active() }
    const ended = (failure?: Failure): void => {
      const span = this.start(preparedOf, begun)
      if (span !== undefined) end(span, failure)
    }
    try {
      const iterator = original.apply(target, args)
      guarded('sqlite', () => watch(iterator as Steps, ended))
      return iterator
    } catch (error) {
      ended({ error })
      throw error
    }
  }
}

function watch(iterator: Steps, ended: (failure?: Failure) => void): void {
  let isOver = false
  const finish = (failure?: Failure): void => {
    if (isOver) return
    isOver = true
    ended(failure)
  }
  for (const name of ['next', 'return'] as const) {
    const original = iterator[name]
    if (typeof original !== 'function') continue
    const step: Method = function (...args) {
      try {
        const result = original.apply(this, args)
        if ((result as { done?: unknown }).done === true) finish()
        return result
      } catch (error) {
        finish({ error })
        throw error
      }
    }
    Object.defineProperty(iterator, name, {
      value: step,
      configurable: true,
      writable: true,
      enumerable: false,
    })
  }
}

function end(span: Parameters<typeof endDatabase>[0], failure?: Failure): void {
  endDatabase(span, failure, resultCode)
}

/** SQLite's name or number of a failure (its documentation, "Result and Error Codes"). */
function resultCode(error: object): unknown {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown }
  if (typeof errcode === 'number') return errcode
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}
