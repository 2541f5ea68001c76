import { closeSync, openSync, readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { migrate } from './migrate.js'
import { APPLICATION_ID, SCHEMA, VERSION } from './schema.js'

/** Where SQLite's header has what it begins with, and the application's id (https://www.sqlite.org/fileformat.html). */
const MAGIC = 'SQLite format 3\0'
const ID_AT = 68

/**
 * Makes the file, for this user alone, where there is none, and looks at one that is there before SQLite does, which writes to it.
 * @throws Error where it is another program's.
 */
export function refuseForeign(file: string): void {
  if (file === ':memory:' || file === '') return
  let handle: number
  try {
    handle = openSync(file, 'wx+', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    handle = openSync(file, 'r')
  }
  try {
    const header = Buffer.alloc(ID_AT + 4)
    const length = readSync(handle, header, 0, header.length, 0)
    // One that nobody has written to yet.
    if (length === 0) return
    const isOurs =
      header.toString('latin1', 0, MAGIC.length) === MAGIC && header.readUInt32BE(ID_AT) === APPLICATION_ID
    if (!isOurs) throw new Error('it is not a database of threadspan')
  } finally {
    closeSync(handle)
  }
}

/**
 * Makes a new file ready, or brings one of an older version to this one. From then on it is this process's alone until it is closed: two
 * viewers would each forget what the other keeps.
 * @throws Error where it is another program's, a newer version's, or in use.
 */
export function prepareFile(db: DatabaseSync): void {
  try {
    takeFile(db)
  } catch (error) {
    if (!/database is locked/i.test((error as Error).message)) throw error
    throw new Error('another viewer has it open', { cause: error })
  }
}

function takeFile(db: DatabaseSync): void {
  const id = pragma(db, 'application_id')
  const version = pragma(db, 'user_version')
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_master').get() as { tables: number }
  // The first two hold only for a file that has nothing in it yet. What marks it as ours must be in the file itself, not in the log beside it.
  if (tables === 0)
    db.exec(`PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; BEGIN; ${SCHEMA} COMMIT;`)
  else if (id !== APPLICATION_ID) throw new Error('it holds something else than traces of threadspan')
  else if (version > VERSION) {
    throw new Error(
      `a newer version of threadspan has written it (format ${version}, this one reads up to ${VERSION}): use that one, or another file`,
    )
  }
  // What is written outlives a process that is killed; a machine that loses its power costs the last writes, never the file.
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
  db.exec('BEGIN IMMEDIATE; COMMIT;')
  if (tables > 0 && version < VERSION) migrate(db, version)
}

/** The number that a pragma answers. */
export function pragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, unknown> | undefined
  return Number(Object.values(row ?? {})[0] ?? 0)
}
