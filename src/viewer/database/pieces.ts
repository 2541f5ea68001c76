import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { lengthDelimited } from '../../otlp/encode.js'
import { PIECES } from './schema.js'

/** Entries of a table that are known by heart. */
const MOST_KNOWN = 10_000

/** Largest piece, so that reading one takes little memory at once. */
const MAX_PIECE = 1024 * 1024

/** Spans of one trace that came one behind the other from one resource and scope. */
interface Run {
  resource: Buffer
  scope: Buffer
  spans: Uint8Array[]
  bytes: number
}

interface Known {
  id: number
  /** Number of the next piece. */
  next: number
}

/** Writes the spans of a transaction as pieces. */
export class Pieces {
  readonly #runs = new Map<string, { start: number; runs: Run[] }>()
  readonly #parts = new Map<string, number>()
  readonly #traces = new Map<string, Known>()
  readonly #insertPart: StatementSync
  readonly #findPart: StatementSync
  readonly #insertTrace: StatementSync
  readonly #findTrace: StatementSync
  readonly #lastPiece: StatementSync
  readonly #insertPiece: StatementSync
  readonly #deletePieces: StatementSync
  readonly #deleteTrace: StatementSync

  constructor(db: DatabaseSync) {
    this.#insertPart = db.prepare('INSERT OR IGNORE INTO part (body) VALUES (?)')
    this.#findPart = db.prepare('SELECT id FROM part WHERE body = ?')
    this.#insertTrace = db.prepare('INSERT INTO trace (key, start) VALUES (?, ?)')
    this.#findTrace = db.prepare('SELECT id FROM trace WHERE key = ?')
    this.#lastPiece = db.prepare('SELECT max(id) AS last FROM piece WHERE id >= ? AND id < ?')
    this.#insertPiece = db.prepare('INSERT INTO piece VALUES (?, ?, ?, ?, ?)')
    this.#deletePieces = db.prepare('DELETE FROM piece WHERE id >= ? AND id < ?')
    this.#deleteTrace = db.prepare('DELETE FROM trace WHERE id = ?')
  }

  /** @param trace The sixteen bytes of the id, as a latin1 string. @param start Milliseconds since the epoch. */
  add(trace: string, resource: Buffer, scope: Buffer, span: Uint8Array, start: number): void {
    let entry = this.#runs.get(trace)
    if (entry === undefined) {
      entry = { start, runs: [] }
      this.#runs.set(trace, entry)
    }
    let run = entry.runs.at(-1)
    if (run?.resource !== resource || run.scope !== scope || run.bytes > MAX_PIECE) {
      run = { resource, scope, spans: [], bytes: 0 }
      entry.runs.push(run)
    }
    const field = lengthDelimited(0x12, span)
    run.spans.push(field)
    run.bytes += field.length
  }

  remove(trace: string): void {
    this.#runs.delete(trace)
    const key = Buffer.from(trace, 'latin1')
    const id = this.#traces.get(trace)?.id ?? (this.#findTrace.get(key) as { id: number } | undefined)?.id
    this.#traces.delete(trace)
    if (id === undefined) return
    this.#deletePieces.run(id * PIECES, (id + 1) * PIECES)
    this.#deleteTrace.run(id)
  }

  /** Writes what was added. */
  write(): void {
    for (const [key, { start, runs }] of this.#runs) {
      const trace = this.#trace(key, start)
      for (const { resource, scope, spans } of runs) {
        const id = trace.id * PIECES + trace.next++
        this.#insertPiece.run(id, this.#part(resource), this.#part(scope), spans.length, Buffer.concat(spans))
      }
    }
    this.#runs.clear()
  }

  #trace(trace: string, start: number): Known {
    let known = this.#traces.get(trace)
    if (known !== undefined) return known
    const key = Buffer.from(trace, 'latin1')
    const found = this.#findTrace.get(key) as { id: number } | undefined
    if (found === undefined) {
      const id = Number(this.#insertTrace.run(key, Math.round(start)).lastInsertRowid)
      known = { id, next: 0 }
    } else {
      const { id } = found
      const { last } = this.#lastPiece.get(id * PIECES, (id + 1) * PIECES) as { last: number | null }
      known = { id, next: last === null ? 0 : last - id * PIECES + 1 }
    }
    if (this.#traces.size >= MOST_KNOWN) this.#traces.clear()
    this.#traces.set(trace, known)
    return known
  }

  /** The number of a resource or scope in the file. */
  #part(body: Buffer): number {
    const key = body.toString('latin1')
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    this.#insertPart.run(body)
    const { id } = this.#findPart.get(body) as { id: number }
    if (this.#parts.size >= MOST_KNOWN) this.#parts.clear()
    this.#parts.set(key, id)
    return id
  }
}
