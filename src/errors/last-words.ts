import { rememberCrossed } from '../context/exception.js'
import { describeCrossed, describeException, type ExceptionAttributes } from '../exceptions/exception.js'
import { provideLastWords } from './stray.js'

/** Bytes: what errors are described by is bounded, and seldom a quarter of it. */
const SIZE = 65_536
/** Bytes before the text: its length. */
const HEAD = 4

/** Memory in which a Worker leaves word of the error that ends it, for the thread that made it. */
export function roomForLastWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(SIZE)
}

/** In a Worker: writes there what each error that nobody catches is described by. The last one ends the thread. */
export function leaveLastWords(room: SharedArrayBuffer): void {
  provideLastWords((error) => {
    const description = describeException(error)
    let bytes = Buffer.from(JSON.stringify(description))
    if (bytes.length > SIZE - HEAD) {
      const { 'exception.stacktrace': _, ...rest } = description
      bytes = Buffer.from(JSON.stringify(rest))
    }
    if (bytes.length > SIZE - HEAD) return
    new Uint8Array(room, HEAD).set(bytes)
    new Int32Array(room, 0, 1)[0] = bytes.length
  })
}

/**
 * In the thread that made it: lets the error that its `error` event brings be told as what it was there.
 *
 * @param madeBy where the Worker was made, as lines of a stack.
 */
export function hearLastWords(room: SharedArrayBuffer, error: unknown, madeBy: string | undefined): void {
  const length = new Int32Array(room, 0, 1)[0]!
  if (length === 0) return
  const told = JSON.parse(Buffer.from(room, HEAD, length).toString()) as ExceptionAttributes
  // An error that the Worker has survived is not the one that ended it.
  if (!(error instanceof Error) || !error.message.startsWith(told['exception.message'])) return
  const description = describeCrossed(told, madeBy, 'Worker made by')
  if (description !== undefined) rememberCrossed(error, description)
}
