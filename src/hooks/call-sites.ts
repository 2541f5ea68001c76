/**
 * The frames above `callee` as V8 has them, whatever the program makes of stacks: source maps turn a frame's file into another one.
 *
 * @param most frames at most.
 * @returns undefined where the program has frozen `Error` (`--frozen-intrinsics`, SES).
 */
export function callSites(
  most: number,
  callee: (...args: never[]) => unknown,
): readonly NodeJS.CallSite[] | undefined {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  const { stackTraceLimit } = Error
  const holder: { stack?: unknown } = {}
  let frames: readonly NodeJS.CallSite[] | undefined
  if (!Reflect.set(Error, 'stackTraceLimit', most)) return undefined
  const isSet = Reflect.set(Error, 'prepareStackTrace', (_: unknown, sites: NodeJS.CallSite[]) => sites)
  try {
    if (isSet) {
      Error.captureStackTrace(holder, callee)
      frames = holder.stack as NodeJS.CallSite[]
    }
  } finally {
    // Read by the getter above: from here on stacks are as they were.
    Error.stackTraceLimit = stackTraceLimit
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Object.defineProperty(Error, 'prepareStackTrace', before)
  }
  return Array.isArray(frames) ? frames : undefined
}
