import { onChannelAsked } from './channel-asks.js'
import type { Disable } from './channels.js'
import { guarded } from './guarded.js'
import { replaceMethod } from './replace-method.js'

type Load = (this: unknown, ...args: unknown[]) => unknown

/** What to call once a module is there, by the words that it is asked for with. */
const byRequest = new Map<unknown, () => void>()
/** What to call once what is being loaded has been: the modules that have given a sign meanwhile. */
let seen: (() => void)[] = []
/** How many loads are under way. */
let depth = 0
let restore: Disable | undefined

/** Whether this thread has the module; `fork`ed children load `child_process` for their IPC channel before any preload. */
export function isBuiltinLoaded(name: string): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: unknown }
  return Array.isArray(moduleLoadList) && moduleLoadList.includes(`NativeModule ${name}`)
}

/**
 * Calls `then` once this thread has a builtin module, before the application calls anything in it.
 *
 * Loading a module for its own sake costs 2 to 30 ms, more than all the rest of the preload, and most threads never use it. So it is
 * waited for, in the ways there are to get to it:
 *
 * - CommonJS: `Module._load` returns it, or a module that needs it. What Node's own modules load is noticed by the module asking
 *   `diagnostics_channel` for its channel while it loads, which no other load does.
 * - ES modules: the same sign, with no `require` under way. Their code runs in later microtasks than the load, and its imports
 *   are live bindings. No loader hook is needed, which on Node 20 would cost a thread.
 *
 * What is left out: what was taken from `process.getBuiltinModule` in the tick that loaded the module, or called at the top level of an ES
 * module that CommonJS code loads by `require`.
 *
 * Everything is taken back as soon as all modules that are waited for are there.
 *
 * @param name without `node:`.
 * @param sign the first channel that the module asks for as it loads; undefined where it asks for none.
 * @returns calls `then` now: the module has been found to be there in another way.
 */
export function whenBuiltinLoads(name: string, sign: string | undefined, then: () => void): () => void {
  if (isBuiltinLoaded(name)) {
    then()
    return () => {}
  }
  let isDone = false
  let forget: Disable = () => {}
  const done = (): void => {
    if (isDone) return
    isDone = true
    forget()
    byRequest.delete(name)
    byRequest.delete(`node:${name}`)
    if (byRequest.size === 0) {
      restore?.()
      restore = undefined
    }
    guarded(`load of ${name}`, then)
  }
  if (sign !== undefined) {
    forget = onChannelAsked([sign], () => {
      seen.push(done)
      if (depth === 0) queueMicrotask(finish)
    })
  }
  byRequest.set(name, done).set(`node:${name}`, done)
  restore ??= watch()
  return done
}

function finish(): void {
  const all = seen
  seen = []
  for (const done of all) done()
}

function watch(): Disable {
  const { Module: loader } = process.getBuiltinModule('node:module') as unknown as { Module: { _load: Load } }
  let isWatching = true
  const original = replaceMethod<Load>(
    loader,
    '_load',
    (original) =>
      function (...args) {
        if (!isWatching) return Reflect.apply(original, this, args)
        depth++
        try {
          return Reflect.apply(original, this, args)
        } finally {
          depth--
          if (seen.length > 0) finish()
          // One that gives no sign, by its name.
          byRequest.get(args[0])?.()
        }
      },
  )
  const load = loader._load
  return () => {
    isWatching = false
    // Whoever put a function of theirs over it goes on calling it, and it calls on.
    if (loader._load === load) loader._load = original
  }
}
