/** The record of a span that could not end: its thread or process is gone. */
import {
  ALIGN_BOUND,
  beginMessage,
  finishMessage,
  writeAttribute,
  writeDroppedAndAlign,
  writeString,
} from '../recorder/encoder.js'

/** Tells a span that was closed for a dead thread or process from one that ended; its value is the reason. */
export const CLOSED_ATTRIBUTE = 'threadspan.closed'

/**
 * A complete `ScopeSpans.spans` field with status ERROR.
 * @param start The encoded start, as the thread left it.
 * @param end Nanoseconds since the epoch.
 * @param reason What ended the thread or process, one line.
 */
export function closedSpan(start: Uint8Array, end: bigint, reason: string): Buffer {
  const text = reason.substring(0, 256)
  const limit = start.length + 6 * text.length + 128
  const bytes = Buffer.alloc(limit)
  bytes.writeUInt32LE(0x41008050, 4)
  bytes.writeBigUInt64LE(end, 8)
  bytes.set(start, 16)
  let p = writeAttribute(bytes, 16 + start.length, limit, 0x4a, CLOSED_ATTRIBUTE, text)
  const status = beginMessage(bytes, p, 0x7a)
  p = writeString(bytes, status, limit, 0x12, text)
  bytes[p++] = 0x18
  bytes[p++] = 2
  finishMessage(bytes, status, p)
  if (p + ALIGN_BOUND > limit) throw new RangeError('closed span exceeds its bound')
  p = writeDroppedAndAlign(bytes, p, 0)
  const length = p - 4
  bytes[0] = 0x12
  bytes[1] = (length & 127) | 128
  bytes[2] = ((length >> 7) & 127) | 128
  bytes[3] = length >> 14
  return bytes.subarray(0, p)
}

/** Words of the start's layout that precede an id; see `recorder/record.ts`. */
const SPAN_ID = 0x00808812

/**
 * The span id in a span's encoded bytes (a start, or the fields of a whole span), as 16 hexadecimal digits.
 * @param at Where the fields begin.
 * @returns undefined if there is none: the bytes are not a span's.
 */
export function spanIdIn(bytes: Buffer, at: number, end: number): string | undefined {
  let p = at
  while (p < end) {
    if (p + 12 <= end && bytes[p] === 0x12 && bytes.readUInt32LE(p) === SPAN_ID)
      return bytes.toString('hex', p + 4, p + 12)
    const tag = bytes[p]!
    if (tag === 0x85) p += 6
    else if ((tag & 7) === 1) p += 9
    else if ((tag & 7) === 0 || (tag & 7) === 2) {
      let length = 0
      let shift = 0
      p++
      while (p < end && bytes[p]! >= 128) {
        length |= (bytes[p++]! & 127) << shift
        shift += 7
      }
      length |= bytes[p++]! << shift
      if ((tag & 7) === 2) p += length >>> 0
    } else return undefined
  }
  return undefined
}
