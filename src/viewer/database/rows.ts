import type { StatementSync } from 'node:sqlite'
import { OtlpError } from '../../otlp/errors.js'

export type Row = Record<string, unknown>

/** Rows that are read at once. */
export const PAGE = 1000

/** All rows of a statement that takes the last key seen and answers a page; never all of a large table at once. */
export function* pages(statement: StatementSync, key: string, after = 0): Generator<Row> {
  for (let last = after; ; ) {
    const rows = statement.all(last) as Row[]
    yield* rows
    if (rows.length < PAGE) return
    last = rows[rows.length - 1]![key] as number
  }
}

/** @throws OtlpError for a row that holds something else. */
export function buffer(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new OtlpError('not bytes')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
