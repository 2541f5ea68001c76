/** A folder that keeps what was not delivered when a process ended, until the next one starts (`THREADSPAN_SPOOL`). */
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Batch, countOf, type ExportLog } from '../export/exporter.js'
import { LinkWriter } from '../link/writer.js'
import { encodedRecord } from '../logs/record.js'
import { lengthAt, type Signal } from '../ring/reader.js'
import type { ThreadTarget } from './destination.js'
import { follow, Journal } from './journal.js'
import { SpoolLeft, type SpoolTargets } from './spool-left.js'
import { COUNT, LOGS, SPOOL_SUFFIX, SpoolOwner, TAKEN } from './spool-owner.js'

/** Behind the name of a file that is being written. */
const PART = '.part'
/** Bytes that a folder holds at most. */
const MAX_BYTES = 256 << 20
/** What users read of. */
const WORDS = { spans: 'spans', logs: 'log records' }
/** Milliseconds between two looks at what others have left. */
const LOOK = 5000

export class Spool {
  private readonly folder: string
  private owner: SpoolOwner | undefined
  private left: SpoolLeft | undefined
  private files = 0
  private preparing: Promise<void> | undefined
  private looking: Promise<void> | undefined
  private journal: Journal | undefined
  private timer: NodeJS.Timeout | undefined

  /**
   * @param folder Made for its owner only.
   * @param resource This process's encoded Resource.
   */
  constructor(
    folder: string,
    private readonly resource: Uint8Array,
    private readonly log: ExportLog,
  ) {
    this.folder = resolve(folder)
  }

  /** Begins to keep what this process makes. Resolves in any case. */
  prepare(): Promise<void> {
    this.preparing ??= this.begin().catch((error: Error) => {
      this.log('warn', 'THREADSPAN_SPOOL_WRITE', `${this.folder} cannot be used: ${error.message}`)
    })
    return this.preparing
  }

  private async begin(): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    this.owner = await SpoolOwner.open(this.folder)
    const suffix = `${SPOOL_SUFFIX}${TAKEN}${this.owner.id}`
    this.journal = new Journal(this.folder, this.resource, suffix, this.log)
  }

  /** Begins to deliver what others have left. */
  deliver(targets: SpoolTargets): void {
    const look = async (): Promise<void> => {
      await this.prepare()
      if (this.owner === undefined) return
      this.left ??= new SpoolLeft(this.folder, this.owner, targets)
      await this.left.look()
    }
    this.looking = look()
    this.timer = setInterval(() => {
      this.looking = look()
    }, LOOK).unref()
  }

  /** Resolves once it is known what others have left. */
  get ready(): Promise<void> {
    return this.looking ?? Promise.resolve()
  }

  /** @param target Takes a thread's spans to where they are exported: what comes is written down as well, until that is done. */
  follow(target: ThreadTarget): ThreadTarget {
    return follow(target, () => this.journal)
  }

  /** Hands over what others have left, and writes what has come. */
  settle(hasRoom: boolean): void {
    this.journal?.flush()
    if (hasRoom) this.left?.feed()
  }

  /**
   * Writes batches down, one file for each process.
   * @returns How many spans or log records are safe.
   */
  keep(batches: readonly Batch[], signal: Signal): number {
    const count = countOf(batches)
    if (count === 0) return 0
    let kept = 0
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 })
      for (const batch of batches) {
        if (sizeOf(this.folder, this.owner?.id) + batch.bytes > MAX_BYTES) throw new Error('it is full')
        this.write(batch, signal)
        kept += batch.count
      }
    } catch (error) {
      this.log(
        'warn',
        'THREADSPAN_SPOOL_WRITE',
        `${count - kept} ${WORDS[signal]} could not be kept in ${this.folder}: ${(error as Error).message}`,
      )
    }
    if (kept > 0)
      this.log('info', 'THREADSPAN_SPOOLED', `${kept} ${WORDS[signal]} are kept in ${this.folder}`)
    return kept
  }

  private write(batch: Batch, signal: Signal): void {
    const unique = `${Date.now().toString(36)}-${process.hrtime.bigint().toString(36)}-${this.files++}`
    const name = `${unique}${signal === 'logs' ? LOGS : ''}${COUNT}${batch.count}${SPOOL_SUFFIX}`
    const writer = new LinkWriter(this.folder, name, batch.resource, PART, true)
    try {
      batch.scopes.forEach(({ scope, schemaUrl, chunks }, id) => {
        writer.scope(id, scope, schemaUrl)
        for (const chunk of chunks) {
          if (signal === 'spans') writer.spans(id, chunk, [...fieldsIn(chunk)].length)
          else for (const field of fieldsIn(chunk)) writer.logged(encodedRecord(id, field))
        }
      })
      writer.flush()
    } catch (error) {
      writer.remove()
      throw error
    }
    writer.close()
    renameSync(writer.path, writer.path.slice(0, -PART.length))
  }

  /** What was handed over, and what came here, has been delivered, or kept anew. */
  close(): void {
    clearInterval(this.timer)
    this.left?.close()
    this.journal?.close()
    this.owner?.close()
  }
}

/** The fields of which a chunk is laid end to end. */
function* fieldsIn(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; ) {
    const end = at + 4 + lengthAt(chunk, at)
    yield chunk.subarray(at, end)
    at = end
  }
}

/** Bytes of the folder, but for what a process writes as it goes and takes away at its end. */
function sizeOf(folder: string, own: string | undefined): number {
  let size = 0
  for (const file of readdirSync(folder)) {
    if (own !== undefined && file.endsWith(own)) continue
    try {
      size += statSync(join(folder, file)).size
    } catch {
      // Delivered meanwhile.
    }
  }
  return size
}
