import { onChannelAsked } from './channel-asks.js'
import type { Disable } from './channels.js'
import { guarded } from './guarded.js'
import { afterLoad, onAnyLoad } from './module-loads.js'

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
  const forget: Disable[] = []
  const done = (): void => {
    if (isDone) return
    isDone = true
    for (const fn of forget) fn()
    guarded(`load of ${name}`, then)
  }
  if (sign !== undefined)
    forget.push(
      onChannelAsked(
        (asked) => asked === sign,
        () => afterLoad(done),
      ),
    )
  // One that gives no sign, by its name.
  forget.push(onAnyLoad([name, `node:${name}`], done))
  return done
}
