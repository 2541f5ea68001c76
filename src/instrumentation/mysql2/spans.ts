import type { EventEmitter } from 'node:events'
import type { Span, Tracer } from '@opentelemetry/api'
import { now } from '../../core/clock.js'
import { type Disable, subscribe } from '../../hooks/channels.js'
import { guarded } from '../../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { observeEmit } from '../../hooks/observe-emit.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { CONNECTION_WAIT } from '../connection-wait.js'
import { databaseOf, endDatabase, startSql } from '../database-span.js'
import { type Failure, spanOfChannel } from '../traced-channel.js'
import { MYSQL2_CLASSES, MYSQL2_FILE } from './files.js'

/** What mysql2 publishes of a statement. */
interface Told {
  /** Of `query`, with its values in it. */
  readonly query?: unknown
  readonly database?: unknown
  readonly serverAddress?: unknown
  readonly serverPort?: unknown
}

/** A statement as a connection queues it. */
interface Command extends EventEmitter {
  readonly sql?: unknown
  onResult?: unknown
}

interface Connection {
  readonly config?: {
    readonly database?: unknown
    readonly host?: unknown
    readonly port?: unknown
    readonly socketPath?: unknown
  }
}

const CHANNELS = ['mysql2:query', 'mysql2:execute']

let tracer: Tracer | undefined
/** How many calls that a channel tells of are being made. */
let published = 0
/** Milliseconds that were waited for the connection that is being handed out. */
let wait: number | undefined

/**
 * mysql2: a span of each `query` and `execute`, of connections and pools. From 3.20 on it tells of them on its tracing channels; before, a
 * connection is seen to queue them.
 */
export function traceMysql2(by: Tracer): Disable {
  tracer = by
  const undo = CHANNELS.flatMap((name) => [
    spanOfChannel<Told>(name, (told) => startTold(by, told), end),
    subscribe({
      [`tracing:${name}:start`]: () => void published++,
      [`tracing:${name}:end`]: () => void published--,
    }),
  ])
  undo.push(onLoads(new Map<string, OnLoad>(MYSQL2_CLASSES.map((request) => [request, patch]))))
  return () => {
    tracer = undefined
    published = 0
    for (const fn of undo) fn()
  }
}

function startTold(by: Tracer, { query, database, serverAddress, serverPort }: Told): Span | undefined {
  return waited(startSql(by, databaseOf('mysql', database, serverAddress, serverPort), 'mysql', query))
}

/** The span with the wait for the connection that is being handed out, for the first statement on it. */
function waited(span: Span | undefined): Span | undefined {
  if (wait === undefined || span === undefined) return span
  span.setAttribute(CONNECTION_WAIT, wait)
  wait = undefined
  return span
}

/** `getConnection` of a pool, which its own `query` and `execute` call as well, and send their statement in its callback. */
function connecting(original: Method): Method {
  return function (...args) {
    const [callback] = args
    if (tracer === undefined || typeof callback !== 'function') return original.apply(this, args)
    const asked = now()
    args[0] = function (this: unknown, ...given: unknown[]): unknown {
      wait = now() - asked
      try {
        return Reflect.apply(callback, this, given)
      } finally {
        wait = undefined
      }
    }
    return original.apply(this, args)
  }
}

function patch({ exports, parent }: Loaded): undefined {
  const prototype = prototypeOf(exports)
  if (prototype === undefined || !MYSQL2_FILE.test(parent)) return
  patchMethod(prototype, 'addCommand', queued, 'spans')
  patchMethod(prototype, 'getConnection', connecting, 'spans')
}

function queued(original: Method): Method {
  return function (...args) {
    const command = args[0] as Command | undefined
    if (tracer !== undefined && published === 0 && isStatement(command)) {
      guarded('mysql2', () => watch(tracer!, this as Connection, command))
    }
    return original.apply(this, args)
  }
}

/** `Query` and `Execute`; not `Prepare` and what else connections do. */
function isStatement(command: Command | undefined): command is Command {
  const kind = (command as { constructor?: { name?: unknown } } | undefined)?.constructor?.name
  return kind === 'Query' || kind === 'Execute'
}

function watch(by: Tracer, { config }: Connection, command: Command): void {
  const { socketPath, host, port, database } = config ?? {}
  const to = databaseOf('mysql', database, socketPath ?? host, port)
  const span = waited(startSql(by, to, 'mysql', command.sql))
  if (span === undefined || !span.isRecording()) return
  let isOver = false
  const finish = (failure?: Failure): void => {
    if (isOver) return
    isOver = true
    end(span, failure)
  }
  const { onResult } = command
  if (typeof onResult === 'function') {
    command.onResult = function (this: unknown, ...args: unknown[]) {
      const [error] = args
      finish(error ? { error } : undefined)
      return Reflect.apply(onResult, this, args)
    }
    return
  }
  observeEmit(command, (event, argument) => {
    if (event === 'error') finish({ error: argument })
    else if (event === 'end') finish()
  })
}

function end(span: Span, failure?: Failure): void {
  endDatabase(span, failure, errorCode)
}

/** MySQL's number of an error (its manual, "Server Error Message Reference"). */
function errorCode(error: object): unknown {
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown }
  // System errors have a number as well.
  return sqlState === undefined ? undefined : errno
}
