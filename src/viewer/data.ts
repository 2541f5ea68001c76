import { createReadStream, createWriteStream } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { LineCode } from '../core/codes.js'
import { ThreadspanError } from '../core/errors.js'
import { Database } from './database/database.js'
import { Retention, type RetentionOptions } from './database/retention.js'
import { exportOf } from './exports/export.js'
import type { ExportFormat, Pieces } from './exports/format.js'
import { type FileResult, readData } from './receiver/data-file.js'
import { Sink } from './receiver/sink.js'
import { checked, type Pages } from './sources/source.js'
import { Logs } from './store/logs.js'
import { Metrics } from './store/metrics.js'
import { Store } from './store/store.js'

/** What a viewer holds; everything may be left out. */
export interface DataOptions extends RetentionOptions {
  /** SQLite file that keeps the data; needs `node:sqlite`. */
  db?: string
  /** Most spans kept, by default 1,000,000; the oldest traces leave first. */
  maxSpans?: number
  /** Most bytes kept, by default 1 GiB. */
  maxBytes?: number
  /** Hears of what goes wrong while the viewer runs, once per cause. */
  onWarning?: (code: LineCode, message: string) => void
  /** Hears how many spans of a large database have been read so far. */
  onLoading?: (spans: number) => void
  /** Ends the reading of the database. */
  signal?: AbortSignal
}

/** What reading from a source brought. */
export interface SourceResult {
  /** Spans kept, those that were there already among them. */
  spans: number
  /** Spans refused. */
  rejected: number
}

/** Milliseconds between two words of how far the reading of the database is. */
const TELL_INTERVAL = 2000

/** What a viewer holds, without its server: where data comes from, and where it is written to. */
export class ViewerData {
  readonly store: Store
  readonly sink: Sink
  /** Spans that the database brought. */
  restored = 0
  #database: Database | undefined
  #retention: Retention | undefined

  /** Without a database, and nothing that lets traces go but the bounds of memory. */
  constructor({ maxSpans = 1_000_000, maxBytes = 2 ** 30 }: Pick<DataOptions, 'maxSpans' | 'maxBytes'>) {
    this.store = new Store({ maxSpans, maxBytes })
    this.sink = new Sink(this.store, new Metrics(), new Logs())
  }

  /**
   * With all that the options say.
   * @throws ThreadspanError `THREADSPAN_SQLITE_UNAVAILABLE`, `THREADSPAN_DB_OPEN`; the reason of `options.signal`, where that ends it
   */
  static async open(options: DataOptions): Promise<ViewerData> {
    const { db, keep, onWarning } = options
    const data = new ViewerData(options)
    if (db !== undefined) {
      const failed = ({ message }: Error) =>
        onWarning?.('THREADSPAN_DB_WRITE', `The database is no longer written to: ${message}`)
      const database = new Database(db, failed, options.maxSize)
      data.#database = database
      const timer = setInterval(() => options.onLoading?.(data.store.spans), TELL_INTERVAL)
      try {
        await database.load(data.sink, keep === undefined ? undefined : Date.now() - keep, options.signal)
      } catch (error) {
        database.close()
        throw error
      } finally {
        clearInterval(timer)
      }
    }
    data.restored = data.store.spans
    data.#retention = new Retention(data.store, data.#database, options)
    return data
  }

  /** Reads a file, as `readData` does; `signal` ends the reading early. @throws ThreadspanError `THREADSPAN_FILE_UNREADABLE` */
  async load(file: string, signal?: AbortSignal): Promise<FileResult> {
    try {
      const chunks = createReadStream(file, { highWaterMark: 1024 * 1024, ...(signal && { signal }) })
      return await readData(chunks, this.sink)
    } catch (error) {
      const { message } = error as Error
      throw new ThreadspanError('THREADSPAN_FILE_UNREADABLE', `${file} cannot be read: ${message}`, {
        cause: error,
      })
    }
  }

  /**
   * Reads traces of a source.
   * @param name What the source is called in an error.
   * @throws ThreadspanError `THREADSPAN_SOURCE_UNREACHABLE`, `THREADSPAN_SOURCE_ANSWER`; what came before stays.
   */
  async read(pages: Pages, name: string): Promise<SourceResult> {
    const result = { spans: 0, rejected: 0 }
    for await (const requests of pages) {
      const { accepted, rejected } = checked(name, () => this.sink.takeSpans(requests))
      result.spans += accepted
      result.rejected += rejected
    }
    return result
  }

  /** Writes all spans to a file of this user's alone. @throws ThreadspanError `THREADSPAN_FILE_UNWRITABLE` */
  save(file: string, format: ExportFormat = 'otlp'): Promise<void> {
    return this.write(createWriteStream(file, { mode: 0o600 }), file, format)
  }

  /**
   * Writes all spans.
   * @param name What `to` is called in an error.
   * @throws ThreadspanError `THREADSPAN_FILE_UNWRITABLE`
   */
  async write(to: Writable, name: string, format: ExportFormat): Promise<void> {
    try {
      await pipeline(Readable.from(gather(exportOf(this.store, format).pieces)), to)
    } catch (error) {
      const { message } = error as Error
      throw new ThreadspanError('THREADSPAN_FILE_UNWRITABLE', `${name} cannot be written: ${message}`, {
        cause: error,
      })
    }
  }

  /** Writes what is left to the database. */
  close(): void {
    this.#retention?.close()
    this.#database?.close()
  }
}

/** Pieces in writes of a reasonable size. */
export function* gather(pieces: Pieces): Generator<string | Uint8Array> {
  let text = ''
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      yield piece
      continue
    }
    text += piece
    if (text.length < 65_536) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}
