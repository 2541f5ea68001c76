/**
 * Who waits for a task, found out when it has failed: a stack that is captured at each submission would cost a task without work
 * a tenth of its time, for something that is looked at only where it fails.
 */

/** Frames that are told. */
const MAX_FRAMES = 10
const MAX_TEXT = 4096

/** The promise that is looked into. */
let target: Promise<unknown> | undefined

function nothing(): void {}

function StandIn(executor: (resolve: () => void, reject: () => void) => void): unknown {
  executor(nothing, nothing)
  return target
}

/** Lets the `then` of a promise take `target` for the one that it makes. An own `constructor` would slow all promises of the thread. */
const LEADS_ON: object = Object.create(Promise.prototype, {
  constructor: { value: { [Symbol.species]: StandIn } },
})

/**
 * Calls `use` in the next microtask, with the frames of the asynchronous functions that wait for `promise`, innermost first.
 *
 * V8 tells them of the microtask that runs, by following its promise to those that wait for it. This one's is made to lead to `promise`,
 * to which nothing is added: whether it has a handler stays as it is.
 *
 * @param promise one that is pending until `use` is called.
 * @param use given lines as in `error.stack`; undefined where no asynchronous function waits.
 */
export function whoAwaits(promise: Promise<unknown>, use: (frames: string | undefined) => void): void {
  const step = Promise.resolve().then(() => use(awaitingFrames()))
  Object.setPrototypeOf(step, LEADS_ON)
  target = promise
  step.then(nothing)
  target = undefined
}

/** Of a function that runs as a reaction of a promise: the frames of those that wait for what it returns. */
export function awaitingFrames(): string | undefined {
  const holder: { stack?: unknown } = {}
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = MAX_FRAMES * 2
    Error.captureStackTrace(holder)
    const lines = String(holder.stack).split('\n')
    const frames = lines.filter((line) => line.startsWith('    at async ')).slice(0, MAX_FRAMES)
    return frames.length === 0 ? undefined : frames.join('\n').slice(0, MAX_TEXT)
  } catch {
    return undefined
  } finally {
    try {
      Error.stackTraceLimit = limit
    } catch {
      // Frozen intrinsics: it never was another.
    }
  }
}
