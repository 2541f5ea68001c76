/** Rings, readers and spans for tests of the relay. */

import * as layout from '#dist/ring/layout.js'

export { layout }

import { Ring } from '#dist/ring/ring.js'

export { Ring }

import { copyOf, lengthAt, RingReader } from '#dist/ring/reader.js'

export { copyOf, lengthAt, RingReader }

import { SLOT_BODY, SLOT_SIZE } from '#dist/recorder/sink.js'

export { SLOT_BODY, SLOT_SIZE }

/** A control block in which the collector is said to be awake. */
export function control(): Int32Array<SharedArrayBuffer> {
  const words = new Int32Array(new SharedArrayBuffer(layout.CONTROL_BYTES))
  words[layout.STATE] = layout.AWAKE
  return words
}

export function memory(capacity = 65536, slots = 16): import('../../src/ring/layout.js').ThreadMemory {
  return layout.allocate(capacity, slots, SLOT_SIZE)!
}

/**
 * Writes a record that is as long as a span's with `length` bytes of content would be: its number, then bytes that follow from it.
 * @returns Whether there was room.
 */
export function writeRecord(ring: Ring, number: number, length: number, slot = 0): boolean {
  const size = (Math.max(length, 8) + 4 + 3) & ~3
  const at = ring.reserve(size)
  if (at < 0) return false
  const content = size - 4
  ring.bytes[at] = layout.RECORD_SPAN
  ring.bytes[at + 1] = (content & 127) | 128
  ring.bytes[at + 2] = ((content >> 7) & 127) | 128
  ring.bytes[at + 3] = content >> 14
  ring.bytes.writeUInt32LE(number, at + 4)
  for (let i = 8; i < size; i++) ring.bytes[at + i] = (number + i) & 255
  ring.commit(at + size, slot)
  return true
}

/** The numbers of such records; throws where one is torn. */
export function readRecords(bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes)
  const numbers: number[] = []
  for (let at = 0; at < buffer.length; ) {
    const size = 4 + lengthAt(buffer, at)
    const number = buffer.readUInt32LE(at + 4)
    for (let i = 8; i < size; i++)
      if (buffer[at + i] !== ((number + i) & 255))
        throw new Error(`record ${number} is torn at ${i} of ${size}`)
    numbers.push(number)
    at += size
  }
  return numbers
}
