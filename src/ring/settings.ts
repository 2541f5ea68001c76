/**
 * The settings that hold in a process, in its control block: there every thread finds them, however busy it is. One thread writes them; who
 * reads them looks at one word to know that nothing has changed.
 */
import type { Settings } from '../config/live.js'
import { NOTHING_YET, SETTINGS, SETTINGS_BYTES, SETTINGS_TEXT } from './layout.js'

const LENGTH = SETTINGS + 1
/** Who writes them: nobody, the telemetry thread from when it has begun to, or the main thread as long as there is none. */
const WRITER = SETTINGS + 2
const NOBODY = 0
const COLLECTOR = 1
const MAIN = 2

/** For the telemetry thread, before it writes: nobody else does from then on. */
export function claimWriting(control: Int32Array): void {
  while (Atomics.compareExchange(control, WRITER, NOBODY, COLLECTOR) === MAIN)
    Atomics.wait(control, WRITER, MAIN, 10)
}

/** For a main thread without a telemetry thread: calls `write`, which may write. Nothing happens where there is one. */
export function writeInMain(control: Int32Array, write: () => void): void {
  if (Atomics.compareExchange(control, WRITER, NOBODY, MAIN) !== NOBODY) return
  try {
    write()
  } finally {
    Atomics.store(control, WRITER, NOBODY)
    Atomics.notify(control, WRITER)
  }
}

/** Their number, by which a change is seen. */
export function settingsNumber(control: Int32Array): number {
  return Atomics.load(control, SETTINGS)
}

/** For whoever writes them now. @returns false where there is no room, and nothing was changed. */
export function writeSettings(control: Int32Array, settings: Settings): boolean {
  const text = Buffer.from(JSON.stringify(settings))
  if (text.length > SETTINGS_BYTES) return false
  // One that died while it wrote has left an odd number.
  const writing = Atomics.load(control, SETTINGS) | 1
  Atomics.store(control, SETTINGS, writing)
  new Uint8Array(control.buffer, SETTINGS_TEXT).set(text)
  Atomics.store(control, LENGTH, text.length)
  Atomics.store(control, SETTINGS, (writing + 1) | 0 || NOTHING_YET)
  return true
}

/**
 * @param number What `settingsNumber` gave.
 * @returns undefined while they are being written, or have been since.
 */
export function readSettingsOf(control: Int32Array, number: number): Settings | undefined {
  if ((number & 1) !== 0) return undefined
  const length = Math.min(Atomics.load(control, LENGTH), SETTINGS_BYTES)
  const text = Buffer.from(new Uint8Array(control.buffer, SETTINGS_TEXT, length)).toString()
  if (Atomics.load(control, SETTINGS) !== number) return undefined
  try {
    return text === '' ? {} : (JSON.parse(text) as Settings)
  } catch {
    // Plain reads and writes may be seen in another order than those of the number: it is read again.
    return undefined
  }
}
