import type { DatabaseSync } from 'node:sqlite'
import { ProtobufReader } from '../../otlp/protobuf.js'
import { isMalformed } from '../receiver/sink.js'
import { scanSpan } from '../store/scan-span.js'
import { Pieces } from './pieces.js'
import { buffer, PAGE, pages } from './rows.js'
import { SCHEMA } from './schema.js'

/** Spans that are written at once. */
const BATCH = 50_000

/**
 * Brings a file of an older version to the tables of `schema.ts`, whole or not at all: who is killed meanwhile leaves it as it was.
 * @throws Error where the version never was.
 */
export function migrate(db: DatabaseSync, version: number): void {
  if (version !== 1) throw new Error(`it is of a format that there never was (${version})`)
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(
      'ALTER TABLE part RENAME TO part_1; ALTER TABLE span RENAME TO span_1; ALTER TABLE signal RENAME TO signal_1;',
    )
    db.exec(SCHEMA)
    fromVersion1(db)
    db.exec('DROP TABLE span_1; DROP TABLE part_1; DROP TABLE signal_1; COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
  // Both hold for a file that is written anew.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
}

/** In version 1 each span was a row. */
function fromVersion1(db: DatabaseSync): void {
  const pieces = new Pieces(db)
  const spans = db.prepare(
    `SELECT span_1.seq, trace, r.body AS resource, s.body AS scope, span_1.body FROM span_1
     JOIN part_1 r ON r.id = span_1.resource JOIN part_1 s ON s.id = span_1.scope
     WHERE span_1.seq > ? ORDER BY span_1.seq LIMIT ${PAGE}`,
  )
  const parts = new Map<string, Buffer>()
  /** Runs are told by the buffer itself. */
  const same = (bytes: Buffer): Buffer => {
    const key = bytes.toString('latin1')
    const known = parts.get(key) ?? Buffer.from(bytes)
    parts.set(key, known)
    return known
  }
  let count = 0
  for (const row of pages(spans, 'seq')) {
    try {
      const span = buffer(row['body'])
      const { startHigh, startLow } = scanSpan(new ProtobufReader(span))
      const start = (startHigh * 2 ** 32 + startLow) / 1e6
      const trace = buffer(row['trace']).toString('latin1')
      pieces.add(trace, same(buffer(row['resource'])), same(buffer(row['scope'])), span, start)
    } catch (error) {
      // A row that is none of ours does not keep the others away.
      if (!isMalformed(error)) throw error
    }
    if (++count % BATCH === 0) pieces.write()
  }
  pieces.write()
  db.prepare('INSERT INTO signal SELECT seq, ?, name, encoding, body FROM signal_1').run(Date.now())
}
