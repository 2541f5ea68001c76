/** Notices what instrumentations follow as it is loaded, without their code. */
import { isBuiltinLoaded } from '../hooks/builtin-loads.js'
import { onChannelAsked } from '../hooks/channel-asks.js'
import type { Disable } from '../hooks/channels.js'
import { onEsModule } from '../hooks/es-module-loads.js'
import { onAnyLoad } from '../hooks/module-loads.js'
import { inFolder, type Kind, LIBRARIES, type Noticed } from './libraries.js'

/**
 * Calls `then` when this thread loads something that is followed, before the application gets to use it; now where it has been loaded. Until
 * it is ended, `then` may be called again.
 *
 * @param isOfInterest of each kind of library, whether it is.
 */
export function whenFollowedLoads(then: () => void, isOfInterest: (kind: Kind) => boolean): Disable {
  return whenLoads(
    LIBRARIES.filter(({ kind }) => isOfInterest(kind)),
    then,
  )
}

/** The same for some libraries; those of Node's modules apart, what has been loaded before is not seen. */
export function whenLoads(libraries: readonly Noticed[], then: () => void): Disable {
  const channels = libraries.flatMap((library) => library.channels ?? [])
  if (libraries.some(({ builtins }) => builtins?.some(isBuiltinLoaded))) {
    then()
    return () => {}
  }
  const undo = [onChannelAsked((name) => channels.some((start) => name.startsWith(start)), then)]
  for (const { files = [], folder = '', module } of libraries) {
    if (module !== undefined) undo.push(onEsModule({ file: module, loads: then }))
    const isBelow = inFolder(folder)
    undo.push(
      onAnyLoad(files, (request, _exports, parent) => {
        // A package is asked for by its name from anywhere.
        if (!request.startsWith('.') || isBelow.test(parent?.filename ?? '')) then()
      }),
    )
  }
  return () => {
    for (const fn of undo.splice(0)) fn()
  }
}
