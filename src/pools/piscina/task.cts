/** The worker's half of the Piscina adapter: the file that Piscina is told to load in place of the handler's own. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Handler, handlersOf } from '../handlers.cjs'

/** Piscina's worker file, which is what loads this one: where handlers given by a module name are looked for. */
const worker = module.parent?.filename ?? process.argv[1] ?? __filename

/** What `__importStar(require(filename))[name]` gives in Piscina's worker, of which only the result counts. */
function exportOf(exports: unknown, name: string): unknown {
  if (exports !== null && exports !== undefined) {
    const holder = exports as Record<string, unknown>
    if (holder['__esModule']) return typeof exports === 'function' ? exports : holder[name]
    // Own names are copied to a plain object, which has those that it inherits.
    if (name !== 'default')
      return (Object.hasOwn(Object(exports), name) ? holder : (Object.prototype as unknown as typeof holder))[
        name
      ]
  }
  return name === 'default' ? exports : undefined
}

async function load(filename: string, name: string): Promise<Handler | undefined> {
  try {
    const handler = await exportOf(createRequire(worker)(filename), name)
    if (typeof handler === 'function') return handler as Handler
  } catch {
    // An ES module, or a file that cannot be loaded at all: the import says which.
  }
  let exports: unknown
  try {
    exports = await import(pathToFileURL(filename).href)
  } catch (error) {
    // "... imported from <file>" shall name the file that the user knows.
    if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') {
      error.message = error.message.replace(__filename, worker)
    }
    throw error
  }
  const handler = await (exports as Record<string, unknown>)[name]
  return typeof handler === 'function' ? (handler as Handler) : undefined
}

export = handlersOf({
  load,
  missing: (filename) => `No handler function exported from ${filename}`,
  clones: true,
})
