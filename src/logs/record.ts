/**
 * A log record as it goes through a thread's ring and a descendant's file (`ring/layout.ts`, type 0c):
 *
 *   NN NN FF 00   its scope, as the ring has told of it, and its form; then
 *
 *   form 0        a complete `ScopeLogs.log_records` field, padded to a multiple of 4
 *   form 1        a line of JSON that a logger has written, to be taken apart by who exports it: so the thread that logs copies it, and
 *                 does nothing more (`line-layout.ts`); padded
 *   form 2        the same, of a line that was cut
 */
import { encodeLog } from '../otlp/encode-log.js'
import { RECORD_LOG } from '../ring/layout.js'
import { lengthAt } from '../ring/reader.js'
import type { Ring } from '../ring/ring.js'
import { recordOfLine } from './line.js'
import { TEXTS } from './line-layout.js'

export const FORM_RECORD = 0
export const FORM_LINE = 1
export const FORM_CUT = 2

/** Bytes before the content. */
export const HEAD = 4

/** What a log record says of itself. */
export interface LogHead {
  readonly scope: number
  readonly form: number
}

/** @returns undefined where it is none. */
export function readLogHead(body: Buffer): LogHead | undefined {
  if (body.length < HEAD) return undefined
  const form = body[2]!
  const isWhole =
    form === FORM_RECORD
      ? body.length >= HEAD + 4 && body[HEAD] === 0x12 && body.length >= HEAD + 4 + lengthAt(body, HEAD)
      : form <= FORM_CUT && body.length >= HEAD + TEXTS
  return isWhole ? { scope: body.readUInt16LE(0), form } : undefined
}

/**
 * The complete `ScopeLogs.log_records` field of a record. @returns a copy.
 */
export function fieldOf(body: Buffer, { form }: LogHead): Uint8Array {
  if (form === FORM_RECORD)
    return Uint8Array.prototype.slice.call(body, HEAD, HEAD + 4 + lengthAt(body, HEAD))
  const record = recordOfLine(body.subarray(HEAD), form === FORM_CUT)
  return encodeLog(record) ?? encodeLog({ ...record, attributes: {} }) ?? EMPTY
}

/** A record that says nothing; what would have been said is larger than any receiver takes. */
const EMPTY = Uint8Array.of(0x12, 0x80, 0x80, 0x00)

/** The body of a record of form 0. */
export function encodedRecord(scope: number, field: Uint8Array): Buffer {
  const body = Buffer.alloc((HEAD + field.length + 3) & ~3)
  body.writeUInt16LE(scope)
  body.set(field, HEAD)
  return body
}

/** Writes a record of form 0. @returns Whether it was written; else it has been counted. */
export function writeField(ring: Ring, scope: number, field: Uint8Array): boolean {
  const size = (4 + HEAD + field.length + 3) & ~3
  const at = reserveFor(ring, size)
  if (at < 0) return false
  const { bytes } = ring
  bytes.set(field, at + 4 + HEAD)
  for (let p = at + 4 + HEAD + field.length; p < at + size; p++) bytes[p] = 0
  concludeRecord(ring, at, at + size, scope, FORM_RECORD)
  return true
}

/** Room for a record of `size` bytes. @returns Where, or -1; then it has been counted. */
export function reserveFor(ring: Ring, size: number): number {
  if (size > ring.maxRecord) {
    ring.dropLog('too-large')
    return -1
  }
  const at = ring.reserveUncounted(size)
  if (at < 0) ring.dropLog('ring-full')
  return at
}

/** Publishes what lies from `at` to `end`. */
export function concludeRecord(ring: Ring, at: number, end: number, scope: number, form: number): void {
  ring.words[at >> 2] = RECORD_LOG | ((end - at - 4) << 8)
  ring.words[(at >> 2) + 1] = scope | (form << 16)
  ring.commit(end, 0)
}
