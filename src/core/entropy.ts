import { closeSync, openSync, readSync } from 'node:fs'
import { threadId } from 'node:worker_threads'

/** What a seed is made of. */
export type Seed = [number, number, number, number]

/** Bound when this is loaded: tests replace the clock of a process later on. */
const monotonic = process.hrtime.bigint

/** 128 bits from the system's source of randomness, mixed with what tells this thread from all others. */
export function entropy(): Seed {
  const words = new Int32Array(4)
  const bytes = new Uint8Array(words.buffer)
  if (!fromDevice(bytes)) {
    // Windows, or a process that may not read the device (`--permission`).
    process.getBuiltinModule('node:crypto').randomFillSync(bytes)
  }
  // Should a program have put something in the place of the device, two threads still differ.
  const time = monotonic()
  const own = [Number(BigInt.asIntN(32, time)), Number(BigInt.asIntN(32, time >> 32n)), process.pid, threadId]
  return own.map((word, i) => word ^ words[i]!) as Seed
}

function fromDevice(bytes: Uint8Array): boolean {
  if (process.platform === 'win32') return false
  let fd = -1
  try {
    fd = openSync('/dev/urandom', 'r')
    return readSync(fd, bytes) === bytes.length
  } catch {
    return false
  } finally {
    if (fd >= 0) closeSync(fd)
  }
}
