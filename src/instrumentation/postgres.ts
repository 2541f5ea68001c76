import type { Tracer } from '@opentelemetry/api'
import type { Disable } from '../hooks/channels.js'
import { onEsModule } from '../hooks/es-module-loads.js'
import { guarded } from '../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import { bindFunctions } from './bind-callbacks.js'
import type { Instrumentation } from './contract.js'
import { endDatabase, sqlState, startSql } from './database-span.js'
import { filesOf, inFolder, moduleOf } from './libraries.js'
import type { Failure } from './traced-channel.js'

/** A query, or a part of one, as a tagged template made it. */
interface Query {
  readonly strings?: unknown
  readonly args?: unknown
  /** Whether somebody has waited for it: it does nothing before. */
  readonly executed?: boolean
}

/** Parts of a query in parts of a query. */
const MOST_DEPTH = 8
const FILE = inFolder('postgres')

let tracer: Tracer | undefined

/**
 * postgres.js: a span of each query from when it is waited for; what `forEach` and `cursor` call runs in the context of who asked. A query does
 * not know its server.
 */
export const postgres: Instrumentation = {
  name: 'postgres',
  versions: '3',
  enable(by) {
    tracer = by
    const forget = onQueries((prototype) => patchMethod(prototype, 'handle', handling, 'spans'))
    return () => {
      tracer = undefined
      forget()
    }
  },
  follow: () =>
    onQueries((prototype) => {
      for (const name of ['forEach', 'cursor']) patchMethod(prototype, name, withBoundFunctions)
    }),
}

/** Calls `found` with the class's prototype, of either form of the library. */
function onQueries(found: (prototype: object) => void): Disable {
  const see = (exports: unknown): undefined => {
    const prototype = prototypeOf((exports as { Query?: unknown } | undefined)?.Query)
    if (prototype !== undefined) found(prototype)
  }
  const onLoad = ({ exports, parent }: Loaded): undefined => (FILE.test(parent) ? see(exports) : undefined)
  const undo = [
    onLoads(new Map<string, OnLoad>(filesOf('postgres').map((request) => [request, onLoad]))),
    onEsModule({ file: moduleOf('postgres'), loaded: see }),
  ]
  return () => {
    for (const fn of undo) fn()
  }
}

function withBoundFunctions(original: Method): Method {
  return function (...args) {
    return original.apply(this, bindFunctions(args))
  }
}

/** `Query.prototype.handle()`, which every way to wait for the query calls. */
function handling(original: Method): Method {
  return function (...args) {
    const query = this as Query
    if (tracer !== undefined && query.executed === false) guarded('postgres', () => watch(tracer!, query))
    return original.apply(this, args)
  }
}

function watch(by: Tracer, query: Query): void {
  const span = startSql(by, { system: 'postgresql' }, 'postgresql', textOf(query))
  if (span === undefined || !span.isRecording()) return
  let isOver = false
  const finish = (failure?: Failure): void => {
    if (isOver) return
    isOver = true
    endDatabase(span, failure, sqlState)
  }
  // An iteration over a cursor puts others in their place at each step.
  follow(query, 'resolve', () => finish())
  follow(query, 'reject', (error) => finish({ error }))
}

/** Calls `before` whenever what the property holds is called. */
function follow(query: object, name: string, before: (argument: unknown) => void): void {
  let current = (query as Record<string, Method>)[name]!
  const called = function (this: unknown, ...args: unknown[]): unknown {
    before(args[0])
    return Reflect.apply(current, this, args)
  }
  Object.defineProperty(query, name, {
    get: () => called,
    set: (value: Method) => {
      current = value
    },
    configurable: true,
    enumerable: true,
  })
}

/** The statement with a placeholder for each value; parts that are queries themselves are in it, as postgres.js puts them in. */
function textOf({ strings, args }: Query, depth = 0): string | undefined {
  if (!Array.isArray(strings)) return undefined
  const values = Array.isArray(args) ? args : []
  return strings.map((text, i) => `${text}${i < strings.length - 1 ? partOf(values[i], depth) : ''}`).join('')
}

function partOf(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null || depth === MOST_DEPTH) return '?'
  if (value instanceof Promise) return textOf(value as Query, depth + 1) ?? '?'
  // `sql(name)`: what is written is the name.
  const { value: name } = value as { value?: unknown }
  return value.constructor?.name === 'Identifier' && typeof name === 'string' ? name : '?'
}
