/** How the pools that are followed are known as they are loaded, without the code that follows them. */
import type { Disable } from '../hooks/channels.js'
import { onAnyLoad } from '../hooks/module-loads.js'
import { isPiscinaFile, PISCINA_FILES } from './piscina/files.js'

/** Calls `then` when this thread loads a file of a pool that is followed, before anybody gets it. */
export function whenPoolLoads(then: () => void): Disable {
  return onAnyLoad(PISCINA_FILES, (_request, exports) => {
    if (isPiscinaFile(exports)) then()
  })
}
