import { createRequire, isBuiltin } from 'node:module'

const require = createRequire(import.meta.url)

/** As far as this program uses SQLite. */
export interface Connection {
  /** @returns how many rows were changed. */
  run(sql: string, values: unknown[]): number
  all(sql: string, values: unknown[]): Record<string, unknown>[]
  exec(sql: string): void
  close(): void
}

/** The package, which describes itself only as a global module. */
interface Wasm {
  readonly Database: new (
    file: string,
  ) => Omit<Connection, 'run'> & { run(sql: string, values: unknown[]): { changes: number } }
}

/** Node's own, from 22.13 on; it is not loaded before it is used, since that may write a warning. */
const isOwn = isBuiltin('node:sqlite')
/** The one that is installed, if any. */
const wasm = isOwn ? undefined : installed()

/** Whether there is one to be had. */
export const hasSqlite = isOwn || wasm !== undefined

/** @throws Error where there is none, or the file cannot be opened. */
export function openSqlite(file: string): Connection {
  if (isOwn) {
    const { DatabaseSync } = require('node:sqlite') as typeof import('node:sqlite')
    const db = new DatabaseSync(file)
    return {
      run: (sql, values) => Number(db.prepare(sql).run(...(values as string[])).changes),
      all: (sql, values) => db.prepare(sql).all(...(values as string[])),
      exec: (sql) => db.exec(sql),
      close: () => db.close(),
    }
  }
  const db = new wasm!.Database(file)
  return {
    run: (sql, values) => db.run(sql, values).changes,
    all: (sql, values) => db.all(sql, values),
    exec: (sql) => db.exec(sql),
    close: () => db.close(),
  }
}

function installed(): Wasm | undefined {
  try {
    return require('node-sqlite3-wasm') as Wasm
  } catch {
    return undefined
  }
}
