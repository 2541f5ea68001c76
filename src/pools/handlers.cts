/**
 * What the worker's halves of pool adapters have in common: a module that stands in for the files of all handlers. The name that a pool asks it
 * for says which handler is meant (`Target.encoded`); it is loaded the way the pool would have done, and called in the
 * context that came with the task.
 *
 * It loads nothing else, and works without a preload: it then calls the handler with the plain task and carries nothing.
 */
import { basename } from 'node:path'
import type { SharedName } from '../core/shared.js' with { 'resolution-mode': 'import' }

export type Handler = (input: unknown) => unknown

/** How one library finds and calls handlers. */
export interface HandlerLoading {
  /** The handler, or undefined where the file exports none of that name. Rejects with what the library would say. */
  load(filename: string, name: string): Promise<Handler | undefined>
  /** What the library says where there is no handler. */
  missing(filename: string, name: string): string
  /** Whether what a task throws goes to the submitter by structured clone; else it is thrown as it is. */
  readonly clones: boolean
}

interface Tracing {
  run(wire: unknown, task: string, handler: Handler, input: unknown): unknown
  tell(error: unknown): unknown
}

/** See `core/shared.ts`, `core/stage.ts` and `pools/shared.ts`. */
interface Shared {
  get(name: 'pools.current' & SharedName): { readonly tracing: Tracing | undefined } | undefined
  get(name: 'core.stage' & SharedName): { begin: (() => void) | undefined } | undefined
}

const SHARED = Symbol.for('threadspan.shared.0')

/** That of this thread, once it has one. */
let tracing: Tracing | undefined

function tracingHere(): Tracing | undefined {
  const instances = (globalThis as { [SHARED]?: Shared })[SHARED]
  // The preload has put it off until now.
  instances?.get('core.stage')?.begin?.()
  return instances?.get('pools.current')?.tracing
}

/** See `pools/failure.ts`: the submitter's side takes the error out before the pool or the application sees it. */
function failWith(error: unknown): never {
  const told = tracing!.tell(error)
  throw told === undefined ? error : { 'threadspan.error': error, 'threadspan.told': told }
}

function handlerFor(encoded: string, { load, missing, clones }: HandlerLoading): Promise<Handler> {
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
    if (!clones) return tracing.run(wire, task, handler!, input)
    let result: unknown
    try {
      result = tracing.run(wire, task, handler!, input)
    } catch (error) {
      return failWith(error)
    }
    if (!(result instanceof Promise) || result.then !== Promise.prototype.then) return result
    return result.then(undefined, failWith)
  }

  // A pool keeps what it is given here. A handler that cannot be had is asked for again with every task, as pools do.
  return load(filename, name).then(
    (loaded) => {
      handler = loaded
      return loaded === undefined ? retry : call
    },
    () => retry,
  )

  async function retry(message: unknown): Promise<unknown> {
    handler ??= await load(filename, name)
    if (handler === undefined) throw new Error(missing(filename, name))
    return call(message)
  }
}

/** The module's exports: a handler for each name that a pool asks for. */
export function handlersOf(loading: HandlerLoading): object {
  // `then` must stay undefined, or a promise that is resolved with this object would call it.
  return new Proxy(
    { __esModule: true },
    {
      get(target, key) {
        if (key === '__esModule') return target.__esModule
        return typeof key === 'string' && key.includes('\0') ? handlerFor(key, loading) : undefined
      },
    },
  )
}
