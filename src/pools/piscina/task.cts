/**
 * The worker's half of the Piscina adapter: the file that Piscina is told to load in place of the handler's own. The name
 * that it is then asked for says which handler is meant; it is loaded the way Piscina would have done, and called in the
 * context that came with the task.
 *
 * It loads nothing else, and works without a preload: it then calls the handler with the plain task and carries nothing.
 */
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'

type Handler = (input: unknown) => unknown

interface Tracing {
  run(wire: unknown, task: string, handler: Handler, input: unknown): unknown
  tell(error: unknown): unknown
}

/** See `core/shared.ts`, `core/stage.ts` and `pools/shared.ts`. */
interface Shared {
  get(name: 'pools'): { readonly tracing: Tracing | undefined } | undefined
  get(name: 'stage'): { begin: (() => void) | undefined } | undefined
}

/** Piscina's worker file, which is what loads this one: where handlers given by a module name are looked for. */
const worker = module.parent?.filename ?? process.argv[1] ?? __filename

const SHARED = Symbol.for('threadspan.shared.0')

/** That of this thread, once it has one. */
let tracing: Tracing | undefined

function tracingHere(): Tracing | undefined {
  const instances = (globalThis as { [SHARED]?: Shared })[SHARED]
  // The preload has put it off until now.
  instances?.get('stage')?.begin?.()
  return instances?.get('pools')?.tracing
}

/** See `pools/failure.ts`: the submitter's side takes the error out before the pool or the application sees it. */
function failWith(error: unknown): never {
  const told = tracing!.tell(error)
  throw told === undefined ? error : { 'threadspan.error': error, 'threadspan.told': told }
}

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

/** The handler, or undefined if the file exports none of that name. Rejects with what Piscina's `run()` would. */
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

function handlerFor(encoded: string): Handler | Promise<Handler> {
  const [name, filename] = encoded.split('\0') as [string, string]
  const short = basename(filename).replace(/(?<=.)\.[^.]*$/, '')
  const task = name === 'default' ? short : `${short}.${name}`
  let handler: Handler | undefined

  const call = (message: unknown): unknown => {
    let wire: unknown
    let input: unknown
    if (Array.isArray(message)) {
      wire = message[0]
      input = message[1]
    } else {
      const envelope = message as Record<string, unknown>
      wire = envelope['threadspan.wire']
      input = envelope['threadspan.task']
    }
    tracing ??= tracingHere()
    if (tracing === undefined) return handler!(input)
    let result: unknown
    try {
      result = tracing.run(wire, task, handler!, input)
    } catch (error) {
      return failWith(error)
    }
    if (!(result instanceof Promise) || result.then !== Promise.prototype.then) return result
    return result.then(undefined, failWith)
  }

  const found = load(filename, name)
  // Piscina keeps what it is given here. A handler that cannot be had is asked for again with every task, as Piscina does.
  return found.then(
    (loaded) => {
      handler = loaded
      return loaded === undefined ? retry : call
    },
    () => retry,
  )

  async function retry(message: unknown): Promise<unknown> {
    handler ??= await load(filename, name)
    if (handler === undefined) throw new Error(`No handler function exported from ${filename}`)
    return call(message)
  }
}

// `then` must stay undefined, or a promise that is resolved with this object would call it.
const handlers = new Proxy(
  { __esModule: true },
  {
    get(target, key) {
      if (key === '__esModule') return target.__esModule
      return typeof key === 'string' && key.includes('\0') ? handlerFor(key) : undefined
    },
  },
)

export = handlers
