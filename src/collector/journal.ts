/**
 * What this process makes, on disk within the time of two looks at the rings, for the case that it does not live to deliver it: a kill, an
 * abort, no memory. A file for each thread; what has been delivered is noted in it, and it is removed when all has.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { ExportLog } from '../export/exporter.js'
import { ACKNOWLEDGED_AT, LINK_HEADER } from '../link/format.js'
import { LinkReceipts } from '../link/receipts.js'
import { LinkWriter } from '../link/writer.js'
import type { SlottedSpan } from '../ring/reader.js'
import type { ThreadTarget } from './destination.js'

/** Bytes of a file; the next ones go to another. */
const FILE_BYTES = 4 << 20
/** Bytes of all files. What goes beyond is not kept. */
const ALL_BYTES = 128 << 20

interface Page {
  readonly writer: LinkWriter
  /** To note what has been delivered: a file that is appended to cannot be written elsewhere. */
  readonly notes: number
  readonly receipts: LinkReceipts
  noted: number
}

interface Scope {
  readonly id: number
  readonly encoded: Uint8Array
  readonly schemaUrl: string
}

/** One thread. */
interface Stream {
  readonly scopes: readonly Scope[]
  /** The last one is written to. */
  pages: Page[]
  /** By slot: the marks of the spans that the last page has as open. */
  announced: number[]
  isEnded: boolean
}

export class Journal {
  private readonly streams = new Set<Stream>()
  private files = 0
  private hasFailed = false

  constructor(
    private readonly folder: string,
    private readonly resource: Uint8Array,
    private readonly suffix: string,
    private readonly log: ExportLog,
  ) {}

  /** A thread that begins to write. @param scopes That it has told of; grows. */
  stream(scopes: readonly Scope[]): Stream {
    const stream: Stream = { scopes, pages: [], announced: [], isEnded: false }
    this.streams.add(stream)
    return stream
  }

  /** A scope that has just been told of. */
  scope(stream: Stream, { id, encoded, schemaUrl }: Scope): void {
    stream.pages.at(-1)?.writer.scope(id, encoded, schemaUrl)
  }

  /** @returns To be called once they were delivered, or dropped for good. */
  spans(stream: Stream, scope: number, bytes: Uint8Array, count: number): (() => void) | undefined {
    const page = this.page(stream)
    page?.writer.spans(scope, bytes, count)
    return page?.receipts.make(page.writer.size)
  }

  /** @returns As for spans. */
  logged(stream: Stream, body: Buffer): (() => void) | undefined {
    const page = this.page(stream)
    page?.writer.logged(body)
    return page?.receipts.make(page.writer.size)
  }

  open(stream: Stream, spans: Iterable<SlottedSpan>): void {
    for (const span of spans) {
      // Before the mark is looked at: a new page knows of none.
      const page = this.page(stream)
      if (page === undefined || stream.announced[span.slot] === span.mark) continue
      stream.announced[span.slot] = span.mark
      page.writer.opened(span)
    }
  }

  /** The file to write to; undefined where there is none. */
  private page(stream: Stream): Page | undefined {
    const last = stream.pages.at(-1)
    if (this.hasFailed || (last !== undefined && last.writer.size < FILE_BYTES))
      return this.hasFailed ? undefined : last
    try {
      const page = this.make(stream)
      stream.pages.push(page)
      stream.announced = []
      return page
    } catch (error) {
      this.fail(error as Error)
      return undefined
    }
  }

  private make({ scopes }: Stream): Page {
    let bytes = 0
    for (const { pages } of this.streams) for (const { writer } of pages) bytes += writer.size
    if (bytes > ALL_BYTES) throw new Error('it is full')
    const name = `${Date.now().toString(36)}-${String(this.files++).padStart(6, '0')}`
    const writer = new LinkWriter(this.folder, name, this.resource, this.suffix, true)
    for (const { id, encoded, schemaUrl } of scopes) writer.scope(id, encoded, schemaUrl)
    const notes = openSync(writer.path, 'r+')
    return { writer, notes, receipts: new LinkReceipts(LINK_HEADER), noted: LINK_HEADER }
  }

  /** From now on nothing is kept; what is exported is not affected. */
  private fail(error: Error): void {
    if (this.hasFailed) return
    this.hasFailed = true
    this.log(
      'warn',
      'THREADSPAN_SPOOL_WRITE',
      `spans are no longer kept in ${this.folder} as they come: ${error.message}`,
    )
  }

  /** Writes what has come, and notes what has been delivered. */
  flush(): void {
    for (const stream of this.streams) {
      for (const page of stream.pages) this.write(page)
      const isDone = (page: Page, isLast: boolean): boolean =>
        page.receipts.isSettled && (stream.isEnded || !isLast)
      const { pages } = stream
      stream.pages = pages.filter((page, i) => {
        if (!isDone(page, i === pages.length - 1)) return true
        remove(page)
        return false
      })
      if (stream.isEnded && stream.pages.length === 0) this.streams.delete(stream)
    }
  }

  private write(page: Page): void {
    const { writer, receipts } = page
    try {
      if (!this.hasFailed) writer.flush()
      receipts.advance(writer.size)
      if (receipts.acknowledged === page.noted) return
      page.noted = receipts.acknowledged
      const note = Buffer.allocUnsafe(8)
      note.writeBigUInt64LE(BigInt(page.noted))
      writeSync(page.notes, note, 0, 8, ACKNOWLEDGED_AT)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** All has been delivered, or kept otherwise. */
  close(): void {
    for (const { pages } of this.streams) for (const page of pages) remove(page)
    this.streams.clear()
  }
}

function remove({ writer, notes }: Page): void {
  closeSync(notes)
  writer.remove()
}

/**
 * @param target Takes a thread's spans to where they are exported.
 * @param journal Where they are written down until that is done, once there is one.
 */
export function follow(target: ThreadTarget, journal: () => Journal | undefined): ThreadTarget {
  const scopes: Scope[] = []
  let stream: Stream | undefined
  const writing = (): [Journal, Stream] | undefined => {
    const into = journal()
    if (into === undefined) return undefined
    stream ??= into.stream(scopes)
    return [into, stream]
  }
  return {
    ...target,
    scope(id, encoded, schemaUrl) {
      const scope = { id, encoded, schemaUrl }
      scopes.push(scope)
      if (stream !== undefined) journal()?.scope(stream, scope)
      target.scope(id, encoded, schemaUrl)
    },
    spans(id, bytes, count, settled) {
      const [into, own] = writing() ?? []
      const delivered = own === undefined ? undefined : into?.spans(own, id, bytes, count)
      target.spans(id, bytes, count, () => {
        delivered?.()
        settled?.()
      })
    },
    logged(body, settled) {
      const [into, own] = writing() ?? []
      const delivered = own === undefined ? undefined : into?.logged(own, body)
      target.logged?.(body, () => {
        delivered?.()
        settled?.()
      })
    },
    open(spans) {
      const [into, own] = writing() ?? []
      if (own !== undefined) into?.open(own, spans)
    },
    end() {
      if (stream !== undefined) stream.isEnded = true
      target.end()
    },
  }
}
