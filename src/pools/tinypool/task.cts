/** The worker's half of the Tinypool adapter, in its threads and in its child processes: the file that it is told to load for a handler. */
import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Handler, handlersOf } from '../handlers.cjs'

/** What Tinypool says of itself in a worker. */
interface State {
  readonly isChildProcess?: boolean
}

/** Tinypool's worker file: where handlers given by a module name are looked for. */
const worker = process.argv[1] ?? __filename
const { __tinypool_state__: state } = process as { __tinypool_state__?: State }

type Exports = Record<string, unknown>

const isHandler = (value: unknown): value is Handler => typeof value === 'function'

/** As Tinypool's `getHandler`: what is exported as a whole, then what is exported under the name. */
async function load(filename: string, name: string): Promise<Handler | undefined> {
  try {
    const exports = (await import(specifierOf(filename))) as Exports
    const { default: whole } = exports
    if (!isHandler(whole) && whole) {
      const found = await (whole as Exports)[name]
      if (isHandler(found)) return found
    } else {
      const found = await exports[name]
      if (isHandler(found)) return found
    }
  } catch {
    // It is asked for once more, by a path.
  }
  const found = await ((await import(pathToFileURL(filename).href)) as Exports)[name]
  return isHandler(found) ? found : undefined
}

/** What `import` finds from here as it would from Tinypool's own file. */
function specifierOf(filename: string): string {
  if (isAbsolute(filename)) return pathToFileURL(filename).href
  return /^[a-z-]+:/.test(filename) ? filename : pathToFileURL(createRequire(worker).resolve(filename)).href
}

export = handlersOf({
  load,
  missing: (filename, name) => `No handler function "${name}" exported from "${filename}"`,
  // Errors of a child process arrive as plain objects of what was enumerable.
  clones: state?.isChildProcess !== true,
})
