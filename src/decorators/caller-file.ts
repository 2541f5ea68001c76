import { callSites } from '../hooks/call-sites.js'

/** The file of a frame, in the text of a stack. */
const FRAME = /^ {4}at (?:.*\()?(.*?):\d+:\d+\)?$/m

/** The file that called `callee`: a `file:` URL, or an absolute path where it is CommonJS. Undefined where that is no file (`eval`). */
export function callerFile(callee: (...args: never[]) => unknown): string | undefined {
  const frames = callSites(1, callee)
  const file = frames === undefined ? fileInText(callee) : frames[0]?.getFileName()
  return file?.startsWith('file:') || file?.startsWith('/') || /^[a-z]:\\/i.test(file ?? '')
    ? (file ?? undefined)
    : undefined
}

/** Where `Error` is frozen, the text has to do. */
function fileInText(callee: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: unknown } = {}
  Error.captureStackTrace(holder, callee)
  return FRAME.exec(String(holder.stack))?.[1]
}
