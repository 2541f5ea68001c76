import * as diagnostics from 'node:diagnostics_channel'
import { isBuiltinLoaded, whenBuiltinLoads } from '../hooks/builtin-loads.js'

/** The module, and the channel that it publishes on. */
const MODULE = 'child_process'

/** Whether this thread can start processes already. */
export function isChildProcessLoaded(): boolean {
  return isBuiltinLoaded(MODULE)
}

/** Calls `then` once this thread has `node:child_process`, and before it starts a process. */
export function whenChildProcessLoads(then: () => void): void {
  if (isChildProcessLoaded()) {
    then()
    return
  }
  // However the module was come by: a ChildProcess that is constructed tells, before the child is spawned.
  const spawned = (): void => loaded()
  diagnostics.subscribe(MODULE, spawned)
  const loaded = whenBuiltinLoads(MODULE, MODULE, () => {
    diagnostics.unsubscribe(MODULE, spawned)
    then()
  })
}
