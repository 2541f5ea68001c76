import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { countSpans, type ExportLog, type SpanBatch } from '../../export/exporter.js'
import { LinkReader } from '../link-reader.js'
import { LinkWriter } from '../link-writer.js'
import { isAlive } from '../liveness.js'
import type { ThreadTarget } from './destination.js'

const SUFFIX = '.spool'
/** While it is being written, and while a process delivers it; the latter is followed by that process's number. */
const PART = '.part'
const TAKEN = '.taken-'
/** Bytes that a folder holds at most. */
const MAX_BYTES = 256 << 20

/** A folder that keeps what could not be delivered when a process ended, until the next one starts (`THREADSPAN_SPOOL`). */
export class Spool {
  private readonly folder: string
  private waiting: string[] | undefined
  private current: LinkReader | undefined
  private files = 0

  /** @param folder Made when there is something to keep, for its owner only. */
  constructor(
    folder: string,
    private readonly log: ExportLog,
  ) {
    this.folder = resolve(folder)
  }

  /**
   * Writes batches down, one file for each process.
   * @returns How many spans are safe.
   */
  keep(batches: readonly SpanBatch[]): number {
    const count = countSpans(batches)
    if (count === 0) return 0
    let kept = 0
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 })
      for (const batch of batches) {
        if (this.size() + batch.bytes > MAX_BYTES) throw new Error('it is full')
        this.write(batch)
        kept += batch.count
      }
    } catch (error) {
      this.log(
        'warn',
        'THREADSPAN_SPOOL_WRITE',
        `${count - kept} spans could not be kept in ${this.folder}: ${(error as Error).message}`,
      )
    }
    if (kept > 0) this.log('info', 'THREADSPAN_SPOOLED', `${kept} spans are kept in ${this.folder}`)
    return kept
  }

  private size(): number {
    let size = 0
    for (const file of readdirSync(this.folder)) {
      try {
        size += statSync(join(this.folder, file)).size
      } catch {
        // Delivered meanwhile.
      }
    }
    return size
  }

  private write(batch: SpanBatch): void {
    const name = `${Date.now().toString(36)}-${this.files++}${SUFFIX}`
    const writer = new LinkWriter(this.folder, name, batch.resource, PART)
    try {
      batch.scopes.forEach(({ scope, schemaUrl, chunks }, id) => {
        writer.scope(id, scope, schemaUrl)
        for (const chunk of chunks) writer.spans(id, chunk, 0)
      })
      writer.flush()
    } catch (error) {
      writer.remove()
      throw error
    }
    writer.close()
    renameSync(writer.path, writer.path.slice(0, -PART.length))
  }

  /** Hands over what an earlier process has left, a file at a time: the next one when the last one was delivered. */
  feed(target: (resource: Uint8Array) => ThreadTarget): void {
    if (this.current !== undefined) {
      if (!this.current.isSettled) return
      this.current.remove()
      this.current = undefined
    }
    this.waiting ??= this.list()
    for (let file = this.waiting.pop(); file !== undefined; file = this.waiting.pop()) {
      const path = this.take(file)
      if (path === undefined) continue
      try {
        let output: ThreadTarget | undefined
        const events = {
          introduced: (resource: Uint8Array) => {
            output = target(resource)
            return output
          },
          childEnded() {},
          lost() {},
        }
        const reader = new LinkReader(path, events, new Map())
        reader.read(true)
        output?.end()
        this.current = reader
        return
      } catch {
        // None of ours, whatever it is called; it stays where it is.
      }
    }
  }

  private list(): string[] {
    try {
      return readdirSync(this.folder)
        .filter((file) => file.endsWith(SUFFIX) || file.includes(`${SUFFIX}${TAKEN}`))
        .sort()
        .reverse()
    } catch {
      return []
    }
  }

  /** Only one process delivers a file; one that died over it leaves it to the next. */
  private take(file: string): string | undefined {
    const at = file.indexOf(TAKEN)
    if (at >= 0 && isAlive(file.slice(at + TAKEN.length))) return undefined
    const path = join(this.folder, `${at < 0 ? file : file.slice(0, at)}${TAKEN}${process.pid}`)
    try {
      renameSync(join(this.folder, file), path)
      return path
    } catch {
      return undefined
    }
  }

  /** What was handed over has been delivered, or kept anew. */
  close(): void {
    if (this.current?.isSettled) this.current.remove()
    this.current = undefined
  }
}
