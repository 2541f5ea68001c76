import { closeSync, openSync, readSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { ThreadspanError } from '../core/errors.js'
import { OtlpError } from '../otlp/errors.js'
import type { Encoding } from './receiver/answers.js'
import type { SignalJournal, Sink } from './receiver/sink.js'
import { isMalformed } from './receiver/sink.js'
import type { Journal } from './store/contract.js'

/** Milliseconds that a span may wait for the next write: one transaction for many spans. */
const FLUSH_INTERVAL = 250

/** More waits for the disk than this many bytes: they are written at once. */
const MAX_WAITING = 16 * 1024 * 1024

/** Most bytes of metrics and logs in the file; the oldest leave first. */
const MAX_SIGNAL_BYTES = 64 * 1024 * 1024

const PAGE = 2000

/** Marks a file as ours: "thsp". */
const APPLICATION_ID = 0x74687370
const VERSION = 1

const SCHEMA = `
CREATE TABLE part (id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE);
CREATE TABLE span (seq INTEGER PRIMARY KEY, trace BLOB NOT NULL, resource INTEGER NOT NULL, scope INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX span_trace ON span (trace);
CREATE TABLE signal (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, encoding TEXT NOT NULL, body BLOB NOT NULL);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${VERSION};
`

type Entry =
  | { kind: 'span'; trace: string; resource: Buffer; scope: Buffer; body: Buffer }
  | { kind: 'evicted'; trace: string }
  | { kind: 'signal'; name: string; encoding: Encoding; body: Uint8Array }

interface Statements {
  part: StatementSync
  findPart: StatementSync
  span: StatementSync
  evict: StatementSync
  signal: StatementSync
  trim: StatementSync
}

/** Where SQLite's header has what it begins with, and the application's id (https://www.sqlite.org/fileformat.html). */
const MAGIC = 'SQLite format 3\0'
const ID_AT = 68

/**
 * Makes the file, for this user alone, where there is none, and looks at one that is there before SQLite does, which writes to it.
 * @throws Error where it is another program's.
 */
function refuseForeign(file: string): void {
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
 * The contents of the store in an SQLite file, so that they are there again the next time. The store answers all
 * questions from memory; the file follows it a quarter of a second behind, and forgets what the store forgets.
 */
export class Database implements Journal, SignalJournal {
  readonly file: string
  readonly #db: DatabaseSync
  readonly #statements: Statements
  readonly #parts = new Map<string, number>()
  readonly #onError: (error: Error) => void
  #waiting: Entry[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined
  #failed = false
  #loading = false

  /**
   * @param onError called once, when the file cannot be written to any more
   * @throws ThreadspanError `THREADSPAN_SQLITE_UNAVAILABLE` where this Node has no `node:sqlite`; `THREADSPAN_DB_OPEN`
   * when the file cannot be opened or is not one of ours.
   */
  constructor(file: string, onError: (error: Error) => void) {
    this.file = file
    this.#onError = onError
    // A plain import would print a warning on some versions and fail on others before it can be explained.
    const sqlite = process.getBuiltinModule?.('node:sqlite')
    if (sqlite === undefined) {
      throw new ThreadspanError(
        'THREADSPAN_SQLITE_UNAVAILABLE',
        `--db needs node:sqlite, which Node ${process.versions.node} does not have: use Node 22.13 or later, or load and save files instead`,
      )
    }
    try {
      refuseForeign(file)
      this.#db = new sqlite.DatabaseSync(file)
      this.#prepareFile()
      this.#statements = prepare(this.#db)
    } catch (error) {
      const reason = (error as Error).message
      throw new ThreadspanError('THREADSPAN_DB_OPEN', `The database ${file} cannot be used: ${reason}`, {
        cause: error,
      })
    }
  }

  /**
   * Puts what the file holds into the sink; from then on the file follows it. What does not fit the bounds of the store
   * leaves the file, too.
   */
  load(sink: Sink): void {
    sink.store.journal = this
    sink.journal = this
    this.#loading = true
    try {
      this.#restoreAll(sink)
    } finally {
      this.#loading = false
    }
    this.flush()
    this.#sweep()
  }

  kept(trace: string, resource: Buffer, scope: Buffer, span: Buffer): void {
    if (this.#loading) return
    // The body of a request is not kept for one small span of it.
    this.#add({ kind: 'span', trace, resource, scope, body: Buffer.from(span) }, span.length)
  }

  evicted(trace: string): void {
    this.#add({ kind: 'evicted', trace }, 64)
  }

  signal(name: 'metrics' | 'logs', encoding: Encoding, body: Uint8Array): void {
    if (this.#loading) return
    this.#add({ kind: 'signal', name, encoding, body }, body.length)
  }

  /** Writes what is waiting, and closes the file. */
  close(): void {
    this.flush()
    this.#db.close()
  }

  /** Writes what is waiting, in one transaction. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const entries = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    if (entries.length === 0 || this.#failed) return
    try {
      this.#db.exec('BEGIN')
      for (const entry of entries) this.#write(entry)
      this.#statements.trim.run(MAX_SIGNAL_BYTES)
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#failed = true
      this.#onError(error as Error)
    }
  }

  /** Resources and scopes of spans that have left the file leave it as well. */
  #sweep(): void {
    if (this.#failed) return
    try {
      this.#db.exec(
        'DELETE FROM part WHERE id NOT IN (SELECT resource FROM span UNION SELECT scope FROM span)',
      )
    } catch (error) {
      this.#failed = true
      this.#onError(error as Error)
    }
  }

  #add(entry: Entry, bytes: number): void {
    if (this.#failed) return
    this.#waiting.push(entry)
    this.#waitingBytes += bytes
    if (this.#waitingBytes > MAX_WAITING) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_INTERVAL)
  }

  #write(entry: Entry): void {
    const { span, evict, signal } = this.#statements
    if (entry.kind === 'span') {
      span.run(
        Buffer.from(entry.trace, 'latin1'),
        this.#part(entry.resource),
        this.#part(entry.scope),
        entry.body,
      )
    } else if (entry.kind === 'evicted') evict.run(Buffer.from(entry.trace, 'latin1'))
    else signal.run(entry.name, entry.encoding, entry.body)
  }

  /** The number of a resource or scope in the file. */
  #part(body: Buffer): number {
    const key = body.toString('latin1')
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    this.#statements.part.run(body)
    const { id } = this.#statements.findPart.get(body) as { id: number }
    if (this.#parts.size > 10_000) this.#parts.clear()
    this.#parts.set(key, id)
    return id
  }

  #prepareFile(): void {
    const { application_id } = this.#db.prepare('PRAGMA application_id').get() as { application_id: number }
    const { user_version } = this.#db.prepare('PRAGMA user_version').get() as { user_version: number }
    const { tables } = this.#db.prepare('SELECT count(*) AS tables FROM sqlite_master').get() as {
      tables: number
    }
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;')
    if (tables === 0) this.#db.exec(SCHEMA)
    else if (application_id !== APPLICATION_ID || user_version !== VERSION) {
      throw new Error('it holds something else than traces of this version of the viewer')
    }
  }

  #restoreAll(sink: Sink): void {
    const spans = this.#db.prepare(
      `SELECT span.seq, r.body AS resource, s.body AS scope, span.body FROM span
       JOIN part r ON r.id = span.resource JOIN part s ON s.id = span.scope
       WHERE span.seq > ? ORDER BY span.seq LIMIT ${PAGE}`,
    )
    for (const { resource, scope, body } of pages(spans)) {
      this.#try(sink, () => sink.store.restore(buffer(resource), buffer(scope), buffer(body)))
    }
    const signals = this.#db.prepare(`SELECT * FROM signal WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`)
    for (const { name, encoding, body } of pages(signals)) {
      this.#try(sink, () => {
        if (!isSignal(name, encoding)) throw new OtlpError('no signal of ours')
        sink.take(name as 'metrics' | 'logs', encoding as Encoding, buffer(body))
      })
    }
  }

  /** One unreadable row does not keep the others away. */
  #try(sink: Sink, take: () => void): void {
    try {
      take()
    } catch (error) {
      if (!isMalformed(error)) throw error
      sink.drop('malformed')
    }
  }
}

function isSignal(name: unknown, encoding: unknown): boolean {
  return (name === 'metrics' || name === 'logs') && (encoding === 'json' || encoding === 'protobuf')
}

function prepare(db: DatabaseSync): Statements {
  return {
    part: db.prepare('INSERT OR IGNORE INTO part (body) VALUES (?)'),
    findPart: db.prepare('SELECT id FROM part WHERE body = ?'),
    span: db.prepare('INSERT INTO span (trace, resource, scope, body) VALUES (?, ?, ?, ?)'),
    evict: db.prepare('DELETE FROM span WHERE trace = ?'),
    signal: db.prepare('INSERT INTO signal (name, encoding, body) VALUES (?, ?, ?)'),
    trim: db.prepare(
      `DELETE FROM signal WHERE seq <= (
         SELECT seq FROM (SELECT seq, sum(length(body)) OVER (ORDER BY seq DESC) AS bytes FROM signal)
         WHERE bytes > ? ORDER BY seq DESC LIMIT 1)`,
    ),
  }
}

type Row = Record<string, unknown>

/** All rows of a statement that takes the last `seq` seen and answers a page; never all of a large table at once. */
function* pages(statement: StatementSync): Generator<Row> {
  for (let last = 0; ; ) {
    const rows = statement.all(last) as Row[]
    yield* rows
    if (rows.length < PAGE) return
    last = rows[rows.length - 1]!['seq'] as number
  }
}

/** @throws OtlpError for a row that holds something else. */
function buffer(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new OtlpError('not bytes')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
