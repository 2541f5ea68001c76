import { capture } from '../../context/snapshot.js'
import type { Loaded, OnLoad } from '../../hooks/module-loads.js'
import { patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { withBoundCallbacks } from '../bind-callbacks.js'
import { MYSQL2_CLASSES, MYSQL2_FILE } from './files.js'

interface Command {
  execute?: unknown
  onResult?: unknown
}

/**
 * mysql2: each command runs in the context in which it was queued, whoever opened the connection. A command is handed every
 * packet by `execute`, and calls its callback and its listeners, and fills its streams, from there.
 */
export const mysql2ContextLoads: readonly (readonly [request: string, onLoad: OnLoad])[] = MYSQL2_CLASSES.map(
  (request) => [request, patch],
)

function patch({ exports, parent }: Loaded): undefined {
  const prototype = prototypeOf(exports)
  if (prototype === undefined || !MYSQL2_FILE.test(parent)) return
  patchMethod(prototype, 'getConnection', withBoundCallbacks)
  patchMethod(prototype, 'addCommand', (original) => {
    return function (...args) {
      bindCommand(args[0] as Command | undefined)
      return original.apply(this, args)
    }
  })
}

function bindCommand(command: Command | undefined): void {
  if (typeof command !== 'object' || command === null) return
  const snapshot = capture()
  const { execute, onResult } = command
  if (typeof execute === 'function') command.execute = snapshot.wrap(execute as never)
  // A connection that is lost tells it past `execute`.
  if (typeof onResult === 'function') command.onResult = snapshot.wrap(onResult as never)
}
