/**
 * The file that called `callee`: a `file:` URL, or an absolute path where it is CommonJS. Undefined where that is no file (`eval`).
 *
 * Asks V8 for the raw frames, so that source maps, which turn a frame's file into one that cannot be imported, have no say.
 */
export function callerFile(callee: (...args: never[]) => unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_, frames) => frames
    Error.captureStackTrace(holder, callee)
    const [frame] = holder.stack as NodeJS.CallSite[]
    const file = frame?.getFileName()
    return file?.startsWith('file:') || file?.startsWith('/') || /^[a-z]:\\/i.test(file ?? '')
      ? (file ?? undefined)
      : undefined
  } finally {
    // Read by the getter above: from here on stacks are as they were.
    Error.stackTraceLimit = stackTraceLimit
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Error.prepareStackTrace = prepareStackTrace
  }
}
