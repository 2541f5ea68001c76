/** Following what a function returned to its end, and giving back what it was. */

/** Hears of the outcome, once: called without an argument, or with what was rejected with. */
export type Ended = (failure?: { readonly error: unknown }) => void

type Callback = (value: unknown) => unknown
type Then = (this: unknown, ...args: unknown[]) => unknown

const { then: nativeThen } = Promise.prototype

/** Whether `await` would ask it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> & object {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    // A getter that throws, or a proxy: whoever awaits it gets to see that.
    return false
  }
}

/** Calls `ended` when a promise settles that is waited for by somebody in any case. @returns whether it is a promise that can be followed so. */
export function watchPromise(result: unknown, ended: Ended): boolean {
  if (!(result instanceof Promise) || result.then !== nativeThen) return false
  Reflect.apply(nativeThen, result, [() => ended(), (error: unknown) => ended({ error })])
  return true
}

/**
 * Calls `ended` when `result` settles, before whoever waits for it goes on; at once for what is no thenable.
 *
 * @returns `result` itself, with all its methods; of a plain promise, or one that cannot be watched since it is frozen, another with the
 *   same outcome. An outcome that nobody waits for is as unhandled as it was.
 */
export function followResult<T>(result: T, ended: Ended): T {
  if (!isThenable(result)) {
    ended()
    return result
  }
  if (!(result instanceof Promise) || result.then !== nativeThen) return followThenable(result, ended)
  return (isPlain(result) ? followPlain(result, ended) : followOwn(result, ended)) as T
}

/** What Node itself puts on promises for `async_hooks`, which AsyncLocalStorage turns on before Node 24. */
const OF_NODE: ReadonlySet<string | undefined> = new Set([
  'async_id_symbol',
  'trigger_async_id_symbol',
  'kResourceStore',
])

/** Whether nobody could tell it from another promise with the same outcome. */
function isPlain(promise: Promise<unknown>): boolean {
  if (Object.getPrototypeOf(promise) !== Promise.prototype) return false
  for (const key of Reflect.ownKeys(promise)) {
    if (typeof key === 'string' || !OF_NODE.has(key.description)) return false
  }
  return true
}

function followPlain(promise: Promise<unknown>, ended: Ended): Promise<unknown> {
  return promise.then(...endings(ended))
}

/**
 * A promise of a subclass, and one that a library has put properties on (`pid`, `kill`), has methods, private fields and an identity that no
 * other one has. Whoever waits for it asks for its `then`, which
 * `await` does as well; a rejection that nobody has asked for is raised again, since being followed counts as being handled.
 */
function followOwn(promise: Promise<unknown>, ended: Ended): Promise<unknown> {
  let isAwaited = false
  let raised: Promise<never> | undefined
  const isWatching = replaceThen(promise, function (this: unknown, ...args: unknown[]): unknown {
    isAwaited = true
    // Late, but still before Node tells of it.
    raised?.catch(() => {})
    return Reflect.apply(nativeThen, this, args)
  })
  if (!isWatching) return promise.then(...endings(ended))
  Reflect.apply(nativeThen, promise, [
    () => ended(),
    (error: unknown) => {
      ended({ error })
      if (!isAwaited) raised = Promise.reject(error)
    },
  ])
  return promise
}

/**
 * Any other thenable may begin its work at the first `then`, and do it anew for each, as query builders do: it is followed by those that its
 * caller asks for. One that nobody has asked by the end of the turn is not followed any longer.
 */
function followThenable<T extends PromiseLike<unknown>>(thenable: T, ended: Ended): T {
  const { then } = thenable as unknown as { then: Then }
  let isOver = false
  let isAsked = false
  const over: Ended = (failure) => {
    if (isOver) return
    isOver = true
    ended(failure)
  }
  const isWatching = replaceThen(thenable, function (this: unknown, ...args: unknown[]): unknown {
    isAsked = true
    const [onValue, onError, ...rest] = args
    const value: Callback = (result) => {
      over()
      return typeof onValue === 'function' ? (onValue as Callback)(result) : result
    }
    const failed: Callback = (error) => {
      over({ error })
      if (typeof onError === 'function') return (onError as Callback)(error)
      throw error
    }
    try {
      return Reflect.apply(then, this, [value, failed, ...rest])
    } catch (error) {
      over({ error })
      throw error
    }
  })
  if (!isWatching) return Promise.resolve(thenable).then(...endings(over)) as unknown as T
  setImmediate(() => {
    if (!isAsked) over()
  }).unref()
  return thenable
}

function endings(ended: Ended): [Callback, Callback] {
  return [
    (value) => {
      ended()
      return value
    },
    (error) => {
      ended({ error })
      throw error
    },
  ]
}

/** @returns whether that was possible: not on what is frozen. */
function replaceThen(target: object, then: Then): boolean {
  try {
    return Reflect.defineProperty(target, 'then', {
      value: then,
      configurable: true,
      writable: true,
      enumerable: false,
    })
  } catch {
    return false
  }
}
