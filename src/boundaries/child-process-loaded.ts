import diagnostics from 'node:diagnostics_channel'
import { replaceMethod } from '../hooks/replace-method.js'

type ChildProcessModule = typeof import('node:child_process')
type Load = (this: unknown, ...args: unknown[]) => unknown

const CHANNEL = 'child_process'

/** Whether this thread has the module; `fork`ed children load it for their IPC channel before any preload. */
function isLoaded(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: unknown }
  return Array.isArray(moduleLoadList) && moduleLoadList.includes(`NativeModule ${CHANNEL}`)
}

/**
 * Calls `then` with `node:child_process` once this thread has it, before the application starts its first child.
 *
 * Loading the module costs 2 ms in a Worker and 3 in a main thread, more than all the rest of the preload, and most Workers never
 * use it. So it is waited for, in the three ways there are to get to it:
 *
 * - CommonJS: `Module._load` returns it, or a module that needs it. It is noticed by Node's own module asking
 *   `diagnostics_channel` for its channel while it loads, which no other load does, so that a `require` costs no comparison.
 * - ES modules: the same sign, with no `require` under way. Their code runs in later microtasks than the load, and its imports
 *   are live bindings. No loader hook is needed, which on Node 20 would cost a thread.
 * - A ChildProcess is constructed, however the module was come by (`process.getBuiltinModule`): its channel tells, before the
 *   child is spawned.
 *
 * What is left out: a synchronous form that was taken from `process.getBuiltinModule` in the tick that loaded the module, or
 * called at the top level of an ES module that CommonJS code loads by `require`.
 *
 * Everything is taken back as soon as the module is there.
 */
export function whenChildProcessLoads(then: (module: ChildProcessModule) => void): void {
  if (isLoaded()) {
    then(process.getBuiltinModule('node:child_process'))
    return
  }
  const { Module: loader } = process.getBuiltinModule('node:module') as unknown as { Module: { _load: Load } }
  let depth = 0
  let isSeen = false
  let isDone = false

  const finish = (): void => {
    if (isDone) return
    isDone = true
    // Whoever put a function of theirs over one of these goes on calling it, and it calls on.
    if (loader._load === load) loader._load = originalLoad
    if (diagnostics.channel === channel) diagnostics.channel = originalChannel
    diagnostics.unsubscribe(CHANNEL, finish)
    then(process.getBuiltinModule('node:child_process'))
  }
  const originalLoad = replaceMethod<Load>(
    loader,
    '_load',
    (original) =>
      function (...args) {
        if (isDone) return Reflect.apply(original, this, args)
        depth++
        try {
          return Reflect.apply(original, this, args)
        } finally {
          depth--
          if (isSeen) finish()
        }
      },
  )
  const load = loader._load
  const originalChannel = replaceMethod<typeof diagnostics.channel>(
    diagnostics,
    'channel',
    (original) =>
      function (this: unknown, ...args) {
        if (args[0] === CHANNEL && !isDone && !isSeen) {
          isSeen = true
          if (depth === 0) queueMicrotask(finish)
        }
        return Reflect.apply(original, this, args)
      },
  )
  const channel = diagnostics.channel
  diagnostics.subscribe(CHANNEL, finish)
}
