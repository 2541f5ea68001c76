import { isDeactivated } from '../config/live.js'
import { recordError } from '../context/exception.js'
import { guard } from '../hooks/channels.js'
import { imitate } from '../hooks/imitate.js'
import type { Instrumentation } from './contract.js'
import { FewNames } from './frameworks/few-names.js'
import { frameworkOf } from './frameworks/libraries.js'
import { aroundFunctions } from './frameworks/loads.js'
import { noteRoute, noteThrown, requests } from './frameworks/requests.js'
import type { ServerRequest } from './server-transaction.js'

/** What tRPC's adapters are given for a router. */
interface Options {
  readonly router?: { readonly _def?: { readonly procedures?: Readonly<Record<string, unknown>> } }
  readonly createContext?: (this: unknown, told: Told, ...rest: unknown[]) => unknown
  readonly onError?: (this: unknown, failure: Failure, ...rest: unknown[]) => unknown
  readonly basePath?: unknown
  readonly endpoint?: unknown
}

/** What a context is made of. */
interface Told {
  readonly req?: { readonly method?: unknown }
  readonly info?: { readonly calls?: readonly { readonly path?: unknown }[] }
}

interface Failure {
  readonly error?: { readonly cause?: unknown; readonly code?: unknown }
}

type AnyFunction = (...args: never[]) => unknown

/** The end of the route by which the procedure is found. */
const PATH = '/:path'
/** Different procedures of one batch that are named. */
const MOST_NAMED = 3

const batches = new FewNames()
const ours = new WeakSet<object>()
let isOn = false

const isOff = (): boolean => !isOn || isDeactivated('trpc')

/**
 * tRPC: the transaction is named by the procedure (`GET /trpc/orders.list`), and what a procedure fails with is kept for the answer. The adapters are
 * gone around: they are given a `createContext` and an `onError` that tell of it and call the application's.
 */
export const trpc: Instrumentation = {
  name: 'trpc',
  versions: '11',
  enable() {
    isOn = true
    const undo = aroundFunctions(frameworkOf('trpc'), {
      createExpressMiddleware: withOptions,
      createHTTPHandler: withOptions,
      createHTTPServer: withOptions,
      createNextApiHandler: withOptions,
      fetchRequestHandler: withOptions,
      fastifyTRPCPlugin: withPlugin,
    })
    return () => {
      isOn = false
      undo()
    }
  },
}

/** An adapter whose first argument is its options. */
function withOptions(original: AnyFunction): AnyFunction {
  requests()?.keepCurrent()
  return imitate(
    function (this: unknown, options: unknown, ...rest: unknown[]): unknown {
      const isKnown = typeof options === 'object' && options !== null && !ours.has(options)
      const instead = isKnown ? told(options as Options) : options
      return Reflect.apply(original, this, [instead, ...rest] as never)
    } as never,
    original as never,
  ) as AnyFunction
}

/** `fastifyTRPCPlugin(fastify, options, done)`. */
function withPlugin(original: AnyFunction): AnyFunction {
  requests()?.keepCurrent()
  return imitate(
    function (this: unknown, fastify: unknown, options: unknown, ...rest: unknown[]): unknown {
      const { trpcOptions } = (options ?? {}) as { readonly trpcOptions?: Options }
      const instead =
        trpcOptions === undefined ? options : { ...(options as object), trpcOptions: told(trpcOptions) }
      return Reflect.apply(original, this, [fastify, instead, ...rest] as never)
    } as never,
    original as never,
  ) as AnyFunction
}

function told(options: Options): Options {
  const instead: Options = {
    ...options,
    createContext(told, ...rest) {
      if (!isOff()) called(options, told)
      return options.createContext?.call(this, told, ...rest)
    },
    onError(failure, ...rest) {
      if (!isOff()) failed(failure)
      return options.onError?.call(this, failure, ...rest)
    },
  }
  ours.add(instead)
  return instead
}

/** The procedures are known by then, and none has been called. */
const called = guard('trpc procedure', (options: Options, { req, info }: Told) => {
  const handled = requests()?.current()
  const paths = info?.calls?.map(({ path }) => path)
  const procedures = options.router?._def?.procedures
  if (handled === undefined || paths === undefined || procedures === undefined) return
  // What clients ask for and nobody has is no name.
  const known = [...new Set(paths)].filter(
    (path): path is string => typeof path === 'string' && Object.hasOwn(procedures, path),
  )
  if (known.length === 0) return
  handled.span.setAttribute('rpc.system.name', 'trpc')
  const [only] = known
  if (known.length === 1) handled.span.setAttribute('rpc.method', only!)
  const mount = mountOf(options) ?? mountOn(handled)
  const method = typeof req?.method === 'string' ? req.method : ''
  noteRoute(handled, { method, route: `${mount}/${known.length === 1 ? only : batchOf(known)}` })
})

/** Clients put a batch together: not every combination is a name. */
function batchOf(paths: readonly string[]): string {
  const name = [...paths].sort().join(',')
  return paths.length <= MOST_NAMED && batches.has(name) ? name : ':batch'
}

/** Where the framework below has found the adapter: Fastify by a route of its own. */
function mountOn({ route, mount }: ServerRequest): string {
  return route?.endsWith(PATH) ? route.slice(0, -PATH.length) : mount
}

/** Where an adapter is told what lies before the procedure. */
function mountOf({ basePath, endpoint }: Options): string | undefined {
  const told = basePath ?? endpoint
  return typeof told === 'string' ? `/${told}`.replace(/^\/+/, '/').replace(/\/+$/, '') : undefined
}

const failed = guard('trpc error', ({ error }: Failure) => {
  const handled = requests()?.current()
  const cause = error?.cause ?? error
  if (handled === undefined || cause === undefined) return
  if (error?.code !== 'INTERNAL_SERVER_ERROR') return noteThrown(handled, cause)
  // A batch is answered with a status of its own.
  handled.error ??= cause
  recordError(handled.span, cause)
})
