import { bindEmitter } from '../../context/emitter.js'
import { capture, type Snapshot } from '../../context/snapshot.js'
import { holderOf, type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { bindFunctions, withBoundCallbacks } from '../bind-callbacks.js'
import { PG_FILE, type PgLoads } from './files.js'

/** By what pg's client tells a query (also pg-cursor's, pg-query-stream's, pg-copy-streams') of what the server sent. */
const HANDLERS = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleEmptyQuery',
  'handleCommandComplete',
  'handleReadyForQuery',
  'handleCopyInResponse',
  'handleCopyOutResponse',
  'handleCopyData',
  'handleError',
]

const submitted = new WeakMap<object, Snapshot>()

/**
 * pg: what a connection tells runs in the context of whoever asked, though another request may have opened the connection, and another
 * may have given it back to the pool.
 *
 * A promise needs none of it. Callbacks are bound; a query that is an object of its own (`Query`, a cursor, a stream) runs what
 * it is told in the context in which it was given to `client.query`.
 */
export const pgContextLoads: PgLoads = [
  ['./client', ({ exports, parent }) => (PG_FILE.test(parent) ? patchClient(exports) : undefined)],
  ['./native', ({ exports, parent }) => (PG_FILE.test(parent) ? patchClient(exports) : undefined)],
  ['pg-pool', ({ exports }) => patchPool(exports)],
]

function patchPool(exports: unknown): undefined {
  const prototype = prototypeOf(exports)
  if (prototype === undefined) return
  for (const name of ['connect', 'end']) patchMethod(prototype, name, withBoundCallbacks)
}

function patchClient(exports: unknown): undefined {
  const prototype = prototypeOf(exports)
  if (prototype === undefined) return
  patchMethod(prototype, 'query', boundQuery)
  patchMethod(prototype, 'end', withBoundCallbacks)
  patchMethod(prototype, 'connect', (original) => {
    const connect = withBoundCallbacks(original)
    return function (...args) {
      // `notification` and `notice` come by the connection: their listeners belong to who added them.
      bindEmitter(this as never, (listener) => capture().wrap(listener as never))
      return connect.apply(this, args)
    }
  })
}

interface Query {
  submit?: unknown
  callback?: unknown
}

function boundQuery(original: Method): Method {
  return function (...args) {
    const config = args[0] as Query | string | null | undefined
    bindFunctions(args)
    if (typeof config !== 'object' || config === null) return original.apply(this, args)
    if (typeof config.submit === 'function') {
      bindQuery(config)
      return original.apply(this, args)
    }
    const { callback } = config
    if (typeof callback !== 'function') return original.apply(this, args)
    // pg reads it at once; the object is the application's, who may use it again in another request.
    config.callback = capture().wrap(callback as never)
    try {
      return original.apply(this, args)
    } finally {
      config.callback = callback
    }
  }
}

function bindQuery(query: Query): void {
  const snapshot = capture()
  submitted.set(query, snapshot)
  if (typeof query.callback === 'function') query.callback = snapshot.wrap(query.callback as never)
  for (const name of HANDLERS) {
    const holder = holderOf(query, name)
    if (holder !== undefined) patchMethod(holder, name, inSubmitted)
  }
}

function inSubmitted(original: Method): Method {
  return function (...args) {
    const snapshot = submitted.get(this as object)
    return snapshot === undefined
      ? original.apply(this, args)
      : snapshot.run(() => original.apply(this, args))
  }
}
