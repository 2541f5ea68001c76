/**
 * The worker's half of `@Offload`: the file that the pool is told to run. It imports the module of the class and calls the method.
 *
 * Pools ask it for an export by the name of the method, so that what they and their traces call the task tells it; each such name
 * gives the same function, and the message says what is meant.
 */
import { pathToFileURL } from 'node:url'
import type { SharedName } from '../core/shared.js' with { 'resolution-mode': 'import' }
import type { OffloadedCall } from './offload.js' with { 'resolution-mode': 'import' }

/** The package's face for workers, as it is built: one file. */
const WORKER = '../worker.js'

/** What of it is used. */
interface Worker {
  readonly capture: () => unknown
  readonly Snapshot: {
    readonly ROOT: unknown
    from(carrier: unknown, options: { remote: boolean }): { run<T>(fn: () => T): T }
  }
}

/** See `core/shared.ts` and `decorators/offload.ts`. */
interface State {
  isWorker: boolean
  readonly methods: WeakMap<
    object,
    { readonly original: (...args: unknown[]) => unknown; readonly revive?: (state: unknown) => unknown }
  >
}

const SHARED = Symbol.for('threadspan.shared.0')

/** Its `cause` is what survives the way back. */
function notFound(message: string): Error {
  return new Error(message, { cause: 'THREADSPAN_OFFLOAD_NOT_FOUND' })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function load(call: OffloadedCall): Promise<Record<string, unknown>> {
  const { module } = call
  try {
    return (await import(module.startsWith('file:') ? module : pathToFileURL(module).href)) as Record<
      string,
      unknown
    >
  } catch (error) {
    throw notFound(
      `${call.owner}.${call.method} cannot run in the worker: ${module} fails there: ${describe(error)}`,
    )
  }
}

function isBelow(subclass: object, base: object): boolean {
  return Object.prototype.isPrototypeOf.call(base, subclass)
}

/** The class: under the name given, else under its own or as the default export, else whichever export has that name. */
function classIn(exports: Record<string, unknown>, call: OffloadedCall): unknown {
  return call.export === undefined ? classNamed(exports, call.owner) : exports[call.export]
}

function classNamed(exports: Record<string, unknown>, name: string): unknown {
  const isIt = (value: unknown): boolean => typeof value === 'function' && value.name === name
  const candidates = [exports[name], exports['default'], ...Object.values(exports)]
  const inner = exports['default']
  if (typeof inner === 'object' && inner !== null) candidates.push(...Object.values(inner))
  return candidates.find(isIt)
}

async function run(call: OffloadedCall): Promise<unknown> {
  const exports = await load(call)
  const found = classIn(exports, call)
  const name = `${call.owner}.${call.method}`
  if (typeof found !== 'function') {
    const wanted = call.export ?? (call.owner === '' ? 'a class with a name' : call.owner)
    throw notFound(`${name} cannot run in the worker: ${call.module} does not export ${wanted}`)
  }
  const holder = (call.isStatic ? found : (found as { prototype: unknown }).prototype) as Record<
    string,
    unknown
  >
  const method = holder[call.method]
  const receiver = call.receiver === undefined ? found : classNamed(exports, call.receiver)
  if (typeof receiver !== 'function' || (receiver !== found && !isBelow(receiver, found))) {
    throw notFound(
      `${name} cannot run in the worker: ${call.module} does not export ${call.receiver}, on which it was called`,
    )
  }
  const state = (globalThis as { [SHARED]?: Map<SharedName, unknown> })[SHARED]?.get('decorators.offload') as
    | State
    | undefined
  const offloaded = typeof method === 'function' ? state?.methods.get(method) : undefined
  if (state === undefined || offloaded === undefined) {
    throw notFound(
      `${name} cannot run in the worker: no method of that name is decorated with @Offload in ${call.module}`,
    )
  }
  state.isWorker = true
  const self = call.isStatic ? receiver : offloaded.revive!(call.state)
  const callMethod = (): unknown => offloaded.original.apply(self, call.args as unknown[])
  const joined = await joining
  if (joined === undefined || joined.capture() !== joined.Snapshot.ROOT) return callMethod()
  return joined.Snapshot.from(call.carrier, { remote: false }).run(callMethod)
}

/** Joins the worker to the process's collector, where the program follows nothing by itself. */
const joining = (import(WORKER) as Promise<Worker>).catch(() => undefined)
const ready = joining.then(() => run)

// `then` must stay undefined, or a promise that is resolved with this object would call it.
const handlers = new Proxy(
  { __esModule: true },
  {
    get(target, key) {
      if (key === '__esModule') return target.__esModule
      return typeof key === 'string' && key !== 'then' && key !== 'default' ? ready : undefined
    },
  },
)

export = handlers
