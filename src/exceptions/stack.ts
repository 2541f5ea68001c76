/** One frame of a V8 stack trace. */
export interface StackFrame {
  /** Empty at the top level of a module. */
  readonly fn: string
  /** Path or URL without `file://`; `node:fs` for Node's own. */
  readonly file: string
  readonly line: number
  /** Of Node or of an installed package, not of the application. */
  readonly isLibrary: boolean
}

/** Frames that are looked at. */
const MAX_FRAMES = 64

/** Of `at fn (file:line:column)` and `at file:line:column`. No part can match what another one can, so that time is linear. */
const FRAME =
  /^ {4}at (?:async )?(?:(?:new )?([^(]*?) )?\(?((?:[a-z][a-z\d+.-]*:\/\/|node:|[a-z]:|\/|internal\/)[^()]*?):(\d+)(?::\d+)?\)?$/i

const LIBRARY = /^node:|^internal\/|[\\/]node_modules[\\/]/

/** The frames of `error.stack`; lines that are none (the message, what a program has written there) are left out. */
export function parseFrames(stack: string): StackFrame[] {
  const frames: StackFrame[] = []
  for (const line of stack.split('\n', MAX_FRAMES * 4)) {
    if (line.length > 1024) continue
    const match = FRAME.exec(line)
    if (match === null) continue
    const file = match[2]!.replace(/^file:\/\//, '')
    frames.push({ fn: match[1] ?? '', file, line: Number(match[3]), isLibrary: LIBRARY.test(file) })
    if (frames.length === MAX_FRAMES) break
  }
  return frames
}

/** The innermost frame of the application as `src/orders.js:12`, the last two parts of its path; undefined where there is none. */
export function culpritOf(frames: readonly StackFrame[]): string | undefined {
  const frame = frames.find(({ isLibrary }) => !isLibrary)
  return frame === undefined ? undefined : `${shortFile(frame.file)}:${frame.line}`
}

/** Of a path its last two parts. */
function shortFile(file: string): string {
  return file.split(/[\\/]/).slice(-2).join('/')
}

/** Frames of the application that tell one error from another. */
const GROUPING_FRAMES = 5

/**
 * What groups occurrences of one error: 16 lower-case hexadecimal digits, made of its type and code and the application's innermost
 * functions and files, not of line numbers, so that it outlives a deployment; or, where no frame is the application's, of the message without
 * its numbers and ids.
 */
export function fingerprintOf(
  type: string,
  code: string,
  message: string,
  frames: readonly StackFrame[],
): string {
  const own = frames.filter(({ isLibrary }) => !isLibrary).slice(0, GROUPING_FRAMES)
  const place =
    own.length > 0
      ? own.map(({ fn, file }) => `${fn}@${shortFile(file)}`).join('\n')
      : message.slice(0, 1024).replace(/\b[\da-f-]*\d[\da-f-]*\b/gi, '#')
  const text = `${type}\n${code}\n${place}`
  return hash(text, 0x811c9dc5) + hash(text, 0x01000193)
}

/** FNV-1a of 32 bits, from a basis: no digest worth its loading time is needed to tell groups apart. */
function hash(text: string, basis: number): string {
  let value = basis
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
