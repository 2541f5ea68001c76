/** The writing side of `line.ts`: a logger's line is copied into shared memory as it is, and taken apart by the telemetry thread. */
import type { SpanContext } from '@opentelemetry/api'
import { wordOfHex } from '../core/ids.js'
import type { Ring } from '../ring/ring.js'
import type { LineKeys } from './line.js'
import {
  ERROR_LENGTH,
  IS_TOLD,
  LINE_LENGTH,
  SEVERITY,
  TEXT_LENGTHS,
  TEXTS,
  TIME,
  TRACE_FLAGS,
  TRACE_ID,
} from './line-layout.js'
import { concludeRecord, FORM_CUT, FORM_LINE, HEAD, reserveFor } from './record.js'

/** A logger's keys, as they are written before each of its lines. */
export interface EncodedKeys {
  readonly bytes: Buffer
  readonly lengths: readonly number[]
}

/** Bytes of a key at most. */
const MOST_KEY = 256

export function encodeKeys({ level, message, error, nested }: LineKeys): EncodedKeys {
  const parts = [level, message, error, nested].map((text) => Buffer.from(text.slice(0, MOST_KEY)))
  return { bytes: Buffer.concat(parts), lengths: parts.map(({ length }) => length) }
}

/** Ids of the last line, as words: many are logged in one span. */
const last = { traceId: '', spanId: '', words: new Int32Array(6) }

function wordsOf({ traceId, spanId }: SpanContext): Int32Array {
  if (last.spanId !== spanId || last.traceId !== traceId) {
    last.traceId = traceId
    last.spanId = spanId
    for (let i = 0; i < 4; i++) last.words[i] = wordOfHex(traceId, 8 * i)
    for (let i = 0; i < 2; i++) last.words[4 + i] = wordOfHex(spanId, 8 * i)
  }
  return last.words
}

/**
 * @param exception Encoded `KeyValue` fields with tag 0a, of the error that the line tells of; undefined where a span tells of it.
 * @param stamp Writes the present time into two words.
 */
export function writeLine(
  ring: Ring,
  stamp: (words: Int32Array, at: number) => void,
  scope: number,
  line: string,
  severity: number,
  keys: EncodedKeys,
  span: SpanContext | undefined,
  exception: Uint8Array | undefined,
): void {
  const fixed = 4 + HEAD + TEXTS + keys.bytes.length + (exception?.length ?? 0) + 4
  // UTF-8 takes three bytes for a code unit at most.
  const most = Math.floor((ring.maxRecord - fixed) / 3)
  const text = line.length > most ? line.slice(0, Math.max(0, most)) : line
  const at = reserveFor(ring, (fixed + 3 * text.length + 3) & ~3)
  if (at < 0) return
  const { bytes, words } = ring
  const content = at + 4 + HEAD
  stamp(words, (content + TIME) >> 2)
  const idsAt = (content + TRACE_ID) >> 2
  if (span === undefined) words.fill(0, idsAt, idsAt + 6)
  else {
    const ids = wordsOf(span)
    for (let i = 0; i < 6; i++) words[idsAt + i] = ids[i]!
  }
  bytes[content + TRACE_FLAGS] = (span?.traceFlags ?? 0) & 255
  bytes[content + SEVERITY] = severity
  let p = content + TEXT_LENGTHS
  for (const length of keys.lengths) p = bytes.writeUInt16LE(length, p)
  bytes.writeUInt32LE(exception?.length ?? 0, content + ERROR_LENGTH)
  bytes.writeUInt16LE(exception === undefined ? 1 : 0, content + IS_TOLD)
  p = content + TEXTS
  bytes.set(keys.bytes, p)
  p += keys.bytes.length
  if (exception !== undefined) {
    bytes.set(exception, p)
    p += exception.length
  }
  const length = bytes.write(text, p)
  bytes.writeUInt32LE(length, content + LINE_LENGTH)
  p += length
  while ((p & 3) !== 0) bytes[p++] = 0
  concludeRecord(ring, at, p, scope, text === line ? FORM_LINE : FORM_CUT)
}
