import { fileURLToPath } from 'node:url'
import { isBuiltinLoaded } from '../../hooks/builtin-loads.js'
import type { Disable } from '../../hooks/channels.js'
import { onEsModule } from '../../hooks/es-module-loads.js'
import { guarded } from '../../hooks/guarded.js'
import { imitate } from '../../hooks/imitate.js'
import { type OnLoad, onAnyLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { Instrumentation } from '../contract.js'
import { filesOf, type InstrumentationName, inFolder, moduleOf } from '../libraries.js'
import { SqliteCalls } from './calls.js'

/** What both `node:sqlite` and packages export, by one name or another. */
interface Exports {
  readonly Database?: unknown
  readonly DatabaseSync?: unknown
}

/** `node:sqlite`: a span of each statement, also of those of a tag store. */
const sqlite = instrumentation('sqlite', "Node's", new SqliteCalls({ fileOf: locationOf }), (calls) => {
  const see = (): void => {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as 'node:fs') as Exports
    const prototype = prototypeOf(DatabaseSync)
    if (prototype === undefined) return
    calls.follow(prototype)
    patchMethod(prototype, 'createTagStore', (original) => storing(original, calls), 'spans')
  }
  if (isBuiltinLoaded('sqlite')) see()
  const undo = [onAnyLoad(filesOf('sqlite'), see), onEsModule({ file: moduleOf('sqlite'), loads: see })]
  return () => {
    for (const fn of undo) fn()
  }
})

/** better-sqlite3: a span of each statement, those of `pragma` and `transaction` among them. */
const betterSqlite3 = instrumentation(
  'better-sqlite3',
  '13',
  new SqliteCalls({
    fileOf: (database) => (database as { name?: unknown }).name,
    sourceOf: (statement) => {
      const { database, source } = statement as { database: object; source: unknown }
      return { database, sql: source }
    },
  }),
  (calls) => {
    const file = inFolder('better-sqlite3')
    // What the methods of its databases are made of.
    let prepare: Method | undefined
    const follow: OnLoad = ({ exports, parent }) => {
      if (!file.test(parent)) return
      const methods = exports as { prepare: Method }
      prepare ??= methods.prepare
      calls.follow(methods)
    }
    // Statements of its own, which may be the first of a program.
    const learn: OnLoad = ({ exports, parent }) => {
      if (!file.test(parent) || typeof exports !== 'function') return undefined
      const original = exports as Method
      const learning = function (this: unknown, ...args: unknown[]): unknown {
        const statement = guarded('better-sqlite3', () => prepare?.call(this, 'select 1'))
        if (statement) {
          calls.followStatements(Object.getPrototypeOf(statement) as object)
          prepare = undefined
        }
        return original.apply(this, args)
      }
      return imitate(learning, original)
    }
    return onLoads(
      new Map<string, OnLoad>([
        ...filesOf('better-sqlite3').map((request) => [request, follow] as const),
        ['./methods/transaction', learn],
        ['./methods/pragma', learn],
      ]),
    )
  },
)

/** node-sqlite3-wasm, which is one file: a span of each statement. It does not tell of its databases' files. */
const sqlite3Wasm = instrumentation(
  'node-sqlite3-wasm',
  '0.8',
  new SqliteCalls({ fileOf: () => undefined }),
  (calls) => {
    const see = (_request: string, exports: unknown): undefined => {
      const prototype = prototypeOf((exports as Exports | undefined)?.Database)
      if (prototype !== undefined) calls.follow(prototype)
    }
    const undo = [onAnyLoad(filesOf('node-sqlite3-wasm'), see)]
    undo.push(
      onEsModule({
        file: moduleOf('node-sqlite3-wasm'),
        // Its file is CommonJS, which `import` loads by its path.
        loads: (url) => void undo.push(onAnyLoad([fileURLToPath(url)], see)),
      }),
    )
    return () => {
      for (const fn of undo.splice(0)) fn()
    }
  },
)

/** SQLite, by what runs it in the process. */
export const SQLITE: readonly Instrumentation[] = [sqlite, betterSqlite3, sqlite3Wasm]

function instrumentation(
  name: InstrumentationName,
  versions: string,
  calls: SqliteCalls,
  follow: (calls: SqliteCalls) => Disable,
): Instrumentation {
  return {
    name,
    versions,
    enable(tracer) {
      calls.tracer = tracer
      const forget = follow(calls)
      return () => {
        calls.tracer = undefined
        forget()
      }
    },
  }
}

function locationOf(database: object): unknown {
  return (database as { location?(): unknown }).location?.()
}

/** `sql.all`\`...\`` of a store: the text that SQLite gets has a placeholder for each value. */
function storing(original: Method, calls: SqliteCalls): Method {
  return function (...args) {
    const store = original.apply(this, args) as object
    calls.followStatements(Object.getPrototypeOf(store) as object, (tagged, [strings]) =>
      calls.toDatabase((tagged as { db: object }).db, (strings as readonly string[]).join('?')),
    )
    return store
  }
}
