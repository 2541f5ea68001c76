import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Signal } from '../ring/reader.js'
import {
  allDelivered,
  allDropped,
  type Batch,
  countOf,
  type Exporter,
  type ExportLog,
  type ExportResult,
} from './exporter.js'
import { Notices, reason } from './notices.js'
import { jsonOf, LINE_BYTES } from './request-json.js'
import { split } from './split.js'

/**
 * Appends OTLP JSON lines: each a `TracesData` or `LogsData` (OTLP File Exporter specification; the form of the OpenTelemetry
 * Collector's file exporter). The file is opened for each export, so it can be moved away at any time.
 */
export class FileExporter implements Exporter {
  readonly #path: string
  readonly #signal: Signal
  readonly #notices: Notices
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  /** @param path Of the file; it and its folders are made when there is something to write, for their owner only. */
  constructor(path: string, log: ExportLog, signal: Signal = 'spans') {
    this.#signal = signal
    // The program may change its working directory.
    this.#path = resolve(path)
    this.#notices = new Notices(log, path)
  }

  export(batches: readonly Batch[]): Promise<ExportResult> {
    // One after the other: a line that the system takes in two writes must not have another one in it.
    const result = this.#last.then(() => this.#write(batches))
    this.#last = result
    return result
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#last
  }

  async #write(batches: readonly Batch[]): Promise<ExportResult> {
    const made = countOf(batches)
    if (this.#closed) return allDropped(made, 'closed')
    if (made === 0) return allDelivered(0)
    let delivered = 0
    let file: FileHandle | undefined
    try {
      file = await this.#open()
      let start = (await endsWhole(file)) ? '' : '\n'
      for (const piece of split(batches, LINE_BYTES)) {
        await append(file, Buffer.from(`${start}${jsonOf(piece.batches, this.#signal)}\n`))
        start = ''
        delivered += piece.count
      }
    } catch (error) {
      const lost = made - delivered
      this.#notices.complain('THREADSPAN_EXPORT_FILE', `cannot be written: ${reason(error as Error)}`)
      return { delivered, dropped: new Map([['file', lost]]) }
    } finally {
      await file?.close().catch(() => {})
    }
    return allDelivered(made)
  }

  async #open(): Promise<FileHandle> {
    const { mkdir, open } = process.getBuiltinModule('node:fs/promises')
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    // Attributes hold what users sent and asked for.
    return open(this.#path, 'a+', 0o600)
  }
}

/** Whether the file's last line is complete: a process that was killed can have left a torn one. */
async function endsWhole(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return bytesRead === 0 || buffer[0] === 0x0a
}

/** Writes a whole line, or takes back what was written of it. */
async function append(file: FileHandle, line: Uint8Array): Promise<void> {
  let written = 0
  try {
    while (written < line.length) written += (await file.write(line, written)).bytesWritten
  } catch (error) {
    if (written > 0) await takeBack(file, line.subarray(0, written)).catch(() => {})
    throw error
  }
}

/** Another process can have appended to the same file meanwhile: then the torn line stays, and the next begins anew. */
async function takeBack(file: FileHandle, written: Uint8Array): Promise<void> {
  const { size } = await file.stat()
  const start = size - written.length
  const { buffer } = await file.read(Buffer.alloc(written.length), 0, written.length, start)
  if (buffer.equals(written)) await file.truncate(start)
}
