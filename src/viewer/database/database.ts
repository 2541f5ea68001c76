import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { ThreadspanError } from '../../core/errors.js'
import { concat, lengthDelimited } from '../../otlp/encode.js'
import { OtlpError } from '../../otlp/errors.js'
import type { Encoding } from '../receiver/answers.js'
import type { SignalJournal, Sink } from '../receiver/sink.js'
import { isMalformed } from '../receiver/sink.js'
import type { Journal, StoreLimits } from '../store/contract.js'
import { pragma, prepareFile, refuseForeign } from './file.js'
import { Pieces } from './pieces.js'
import { buffer, PAGE, pages, type Row } from './rows.js'
import { PIECES } from './schema.js'

/** Milliseconds that a span may wait for the next write: one transaction for many spans. */
const FLUSH_INTERVAL = 250

/** More waits for the disk than this many bytes: they are written at once. */
const MAX_WAITING = 16 * 1024 * 1024

/** Most bytes of metrics and logs in the file, and most of a file that is bounded; the oldest leave first. */
const MAX_SIGNAL_BYTES = 64 * 1024 * 1024
const SIGNAL_SHARE = 0.25

/** Pages that are given back to the system at once. */
const VACUUM_PAGES = 4000

/** Fewer free pages are not worth the while. */
const LEAST_FREE = 16

/** Pieces that are read in one go. */
const SLICE = 500

type Entry =
  | { kind: 'span'; trace: string; resource: Buffer; scope: Buffer; body: Buffer; start: number }
  | { kind: 'evicted'; trace: string }
  | { kind: 'signal'; name: string; encoding: Encoding; body: Uint8Array }

/**
 * The contents of the store in an SQLite file, so that they are there again the next time, however the process ends. The store answers all
 * questions from memory; the file follows it a quarter of a second behind, and forgets what the store forgets.
 */
export class Database implements Journal, SignalJournal {
  readonly file: string
  readonly #db: DatabaseSync
  readonly #pieces: Pieces
  readonly #insertSignal: StatementSync
  readonly #trimSignals: StatementSync
  readonly #onError: (error: Error) => void
  readonly #maxSignalBytes: number
  #waiting: Entry[] = []
  #waitingBytes = 0
  #signalBytes = 0
  #timer: NodeJS.Timeout | undefined
  #failed = false
  #loading = false

  /**
   * @param onError called once, when the file cannot be written to any more
   * @param maxSize Bytes that the file may have: metrics and logs leave it before they crowd out the traces.
   * @throws ThreadspanError `THREADSPAN_SQLITE_UNAVAILABLE` where this Node has no `node:sqlite`; `THREADSPAN_DB_OPEN`
   * when the file cannot be opened, is in use, not one of ours, or of a newer version.
   */
  constructor(file: string, onError: (error: Error) => void, maxSize = Number.POSITIVE_INFINITY) {
    this.file = file
    this.#onError = onError
    this.#maxSignalBytes = Math.min(MAX_SIGNAL_BYTES, maxSize * SIGNAL_SHARE)
    // A plain import would print a warning on some versions and fail on others before it can be explained.
    const sqlite = process.getBuiltinModule?.('node:sqlite')
    if (sqlite === undefined) {
      throw new ThreadspanError(
        'THREADSPAN_SQLITE_UNAVAILABLE',
        `--db needs node:sqlite, which Node ${process.versions.node} does not have: use Node 22.13 or later, or load and save files instead`,
      )
    }
    let db: DatabaseSync | undefined
    try {
      refuseForeign(file)
      db = new sqlite.DatabaseSync(file)
      prepareFile(db)
      this.#db = db
      this.#pieces = new Pieces(db)
      this.#insertSignal = db.prepare('INSERT INTO signal (at, name, encoding, body) VALUES (?, ?, ?, ?)')
      this.#trimSignals = db.prepare(
        `DELETE FROM signal WHERE seq <= (
           SELECT seq FROM (SELECT seq, sum(length(body)) OVER (ORDER BY seq DESC) AS bytes FROM signal)
           WHERE bytes > ? ORDER BY seq DESC LIMIT 1)`,
      )
    } catch (error) {
      db?.close()
      const reason = (error as Error).message
      throw new ThreadspanError('THREADSPAN_DB_OPEN', `The database ${file} cannot be used: ${reason}`, {
        cause: error,
      })
    }
  }

  /** Whether it cannot be written to any more. */
  get failed(): boolean {
    return this.#failed
  }

  /** Bytes of the file in use: those that left but are not given back yet do not count. */
  get size(): number {
    const used = pragma(this.#db, 'page_count') - pragma(this.#db, 'freelist_count')
    return used * pragma(this.#db, 'page_size')
  }

  /**
   * Puts what the file holds into the sink, in slices, so that the process goes on meanwhile; from then on the file follows it. What does
   * not fit the bounds of the store leaves the file, too.
   * @param since Milliseconds since the epoch: traces that started before leave the file at once.
   * @throws the reason of `signal`, where that ends it
   */
  async load(sink: Sink, since = Number.NEGATIVE_INFINITY, signal?: AbortSignal): Promise<void> {
    sink.store.journal = this
    sink.journal = this
    this.#loading = true
    try {
      this.forget(since)
      this.#forgetBeyond(sink.store.limits)
      await this.#restoreAll(sink, signal)
    } finally {
      this.#loading = false
    }
    this.#attempt(() => this.#trim())
    this.flush()
    this.#sweep()
  }

  kept(trace: string, resource: Buffer, scope: Buffer, span: Buffer, start: number): void {
    if (this.#loading) return
    // The body of a request is not kept for one small span of it.
    this.#add({ kind: 'span', trace, resource, scope, body: Buffer.from(span), start }, span.length)
  }

  evicted(trace: string): void {
    this.#add({ kind: 'evicted', trace }, 64)
  }

  signal(name: 'metrics' | 'logs', encoding: Encoding, body: Uint8Array): void {
    if (this.#loading) return
    this.#add({ kind: 'signal', name, encoding, body }, body.length)
  }

  /** Forgets metrics and logs that came before `since`, and on loading traces that started before. */
  forget(since: number): void {
    if (since === Number.NEGATIVE_INFINITY) return
    this.#attempt(() => {
      this.#db.prepare('DELETE FROM signal WHERE at < ?').run(Math.floor(since))
      if (!this.#loading) return
      this.#removeTraces(
        this.#db.prepare('SELECT id FROM trace WHERE start < ?').all(Math.floor(since)) as Row[],
      )
    })
  }

  /** Writes what is waiting, and closes the file. */
  close(): void {
    this.flush()
    clearTimeout(this.#timer)
    this.#db.close()
  }

  /** Writes what is waiting, in one transaction. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const entries = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    if (entries.length === 0) return
    this.#attempt(() => {
      for (const entry of entries) this.#write(entry)
      this.#pieces.write()
      this.#trim()
    })
    this.#giveBack()
  }

  /** Runs a change as one transaction: it is there whole or not at all. */
  #attempt(change: () => void): void {
    if (this.#failed) return
    try {
      this.#db.exec('BEGIN')
      change()
      this.#db.exec('COMMIT')
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
    if (entry.kind === 'span') {
      this.#pieces.add(entry.trace, entry.resource, entry.scope, entry.body, entry.start)
    } else if (entry.kind === 'evicted') this.#pieces.remove(entry.trace)
    else {
      this.#insertSignal.run(Date.now(), entry.name, entry.encoding, entry.body)
      this.#signalBytes += entry.body.length
    }
  }

  /** Down to a tenth below, so that it is not done each time. */
  #trim(): void {
    if (this.#signalBytes <= this.#maxSignalBytes) return
    this.#trimSignals.run(this.#maxSignalBytes * 0.9)
    this.#signalBytes = this.#bytesOfSignals()
  }

  #bytesOfSignals(): number {
    const row = this.#db.prepare('SELECT total(length(body)) AS bytes FROM signal').get() as { bytes: number }
    return row.bytes
  }

  /** Gives room of the file that is free back to the system, a little at a time. */
  #giveBack(): void {
    if (this.#failed) return
    const enough = Math.max(LEAST_FREE, pragma(this.#db, 'page_count') / 20)
    if (pragma(this.#db, 'freelist_count') < enough) return
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
    } catch (error) {
      this.#failed = true
      this.#onError(error as Error)
    }
  }

  /** Resources and scopes of spans that have left the file leave it as well. */
  #sweep(): void {
    this.#attempt(() =>
      this.#db.exec(
        'DELETE FROM part WHERE id NOT IN (SELECT resource FROM piece UNION SELECT scope FROM piece)',
      ),
    )
  }

  /** The oldest traces that do not fit leave unread: a smaller bound the next time must not cost reading all. */
  #forgetBeyond({ maxSpans, maxBytes }: StoreLimits): void {
    const pieces = this.#db.prepare('SELECT id, spans, length(body) AS bytes FROM piece ORDER BY id DESC')
    let spans = 0
    let bytes = 0
    for (const row of pieces.iterate() as Iterable<{ id: number; spans: number; bytes: number }>) {
      spans += row.spans
      bytes += row.bytes
      if (spans <= maxSpans && bytes <= maxBytes) continue
      // The store decides on the trace at the edge.
      const edge = Math.floor(row.id / PIECES)
      this.#attempt(() => {
        this.#db.prepare('DELETE FROM piece WHERE id < ?').run(edge * PIECES)
        this.#db.prepare('DELETE FROM trace WHERE id < ?').run(edge)
      })
      return
    }
  }

  #removeTraces(rows: Row[]): void {
    const pieces = this.#db.prepare('DELETE FROM piece WHERE id >= ? AND id < ?')
    const trace = this.#db.prepare('DELETE FROM trace WHERE id = ?')
    for (const row of rows) {
      const id = row['id'] as number
      pieces.run(id * PIECES, (id + 1) * PIECES)
      trace.run(id)
    }
  }

  async #restoreAll(sink: Sink, signal: AbortSignal | undefined): Promise<void> {
    const parts = new Map(
      (this.#db.prepare('SELECT id, body FROM part').all() as Row[]).map(({ id, body }) => [id, body]),
    )
    const pieces = this.#db.prepare(
      `SELECT id, resource, scope, body FROM piece WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
    )
    let count = 0
    for (const { resource, scope, body } of pages(pieces, 'id', -1)) {
      if (++count % SLICE === 0) await setImmediate()
      signal?.throwIfAborted()
      this.#try(sink, () => {
        const spans = concat([buffer(parts.get(scope)), buffer(body)])
        const group = concat([buffer(parts.get(resource)), lengthDelimited(0x12, spans)])
        sink.store.ingest(lengthDelimited(0x0a, group))
      })
    }
    const signals = this.#db.prepare(`SELECT * FROM signal WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`)
    for (const { name, encoding, body } of pages(signals, 'seq')) {
      this.#try(sink, () => {
        if (!isSignal(name, encoding)) throw new OtlpError('no signal of ours')
        sink.take(name as 'metrics' | 'logs', encoding as Encoding, buffer(body))
      })
    }
    this.#signalBytes = this.#bytesOfSignals()
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
