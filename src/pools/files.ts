/** How the pools that are followed are known as they are loaded, without the code that follows them. */
import type { Disable } from '../hooks/channels.js'
import { onEsModule } from '../hooks/es-module-loads.js'
import { onAnyLoad } from '../hooks/module-loads.js'
import { isPiscinaFile, PISCINA_FILES } from './piscina/files.js'

/** ES modules of pools that are no CommonJS packages, or have a form of their own for `import`. */
const MODULES = /[\\/](?:tinypool|poolifier|jest-worker)[^\\/]*[\\/](?:dist|lib|build)[\\/]index\.m?js$/
/** The packages' own names, and words by which the files of workerpool and jest-worker ask for each other. */
const FILES = ['poolifier', 'jest-worker', './Farm', './Pool', './WorkerHandler']

/** Calls `then` when this thread loads a file of a pool that is followed, before anybody gets it. Until it is ended, `then` may be called again. */
export function whenPoolLoads(then: () => void): Disable {
  const undo = [
    onAnyLoad([...PISCINA_FILES, ...FILES], (request, exports) => {
      if (FILES.includes(request) || isPiscinaFile(exports)) then()
    }),
    onEsModule({ file: MODULES, loads: then }),
  ]
  return () => {
    for (const fn of undo.splice(0)) fn()
  }
}
