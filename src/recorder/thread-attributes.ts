import { writeAttribute, writeDroppedAndAlign } from './encoder.js'

/** Characters of a thread's name that spans carry; with more, slots would have no room for a span's own name. */
const MAX_NAME = 64

/**
 * The attributes that every span of a thread carries, encoded once: `thread.id` and `thread.name` of OpenTelemetry's
 * semantic conventions. The length is a multiple of 4.
 */
export function threadAttributes(id: number, name: string): Buffer {
  const bytes = Buffer.alloc(512)
  let p = writeAttribute(bytes, 0, bytes.length, 0x4a, 'thread.id', id)
  p = writeAttribute(bytes, p, bytes.length, 0x4a, 'thread.name', name.substring(0, MAX_NAME))
  return bytes.subarray(0, writeDroppedAndAlign(bytes, p, 0))
}
