/** What the preload follows beyond this thread: Workers, child processes, pools, HTTP; and this process to its end. */
import { dirname, join } from 'node:path'
import {
  type Context,
  context as contextApi,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { ChildBoundary } from '../boundaries/child-process.js'
import { whenChildProcessLoads } from '../boundaries/child-process-loads.js'
import type * as ChildrenPart from '../boundaries/children-part.cjs'
import { keepChildListeners, keepWorkerListeners } from '../boundaries/own-listeners.js'
import { noteMessages, roomForNotes } from '../boundaries/worker-messages.js'
import { followWorkers, type WorkerBoundary } from '../boundaries/worker-threads.js'
import { exporterChoice } from '../config/exporter-choice.js'
import { live } from '../config/live.js'
import { namesExporters } from '../config/names-exporters.js'
import { carrierToEnv } from '../context/carrier.js'
import { contextWithSpan } from '../context/context.js'
import { deadlines } from '../context/deadline.js'
import { capture, Snapshot } from '../context/snapshot.js'
import { childDeath, workerDeath } from '../core/death.js'
import { debug } from '../core/log.js'
import { shared } from '../core/shared.js'
import { DEADLINE, MEASURES, TRANSACTION } from '../core/variables.js'
import { hearLastWords, roomForLastWords } from '../errors/last-words.js'
import type { Disable } from '../hooks/channels.js'
import { guarded } from '../hooks/guarded.js'
import { exportsOfLoaded } from '../hooks/loaded-files.js'
import { loadPart } from '../hooks/parts.js'
import { followProcessEnd } from '../hooks/process-end.js'
import type { Instrumentation } from '../instrumentation/contract.js'
import { type DisableNamed, enableAll, followSharedConnections } from '../instrumentation/enable.js'
import { whenFollowedLoads } from '../instrumentation/followed.js'
import type * as FrameworksPart from '../instrumentation/frameworks-part.cjs'
import type { Kind } from '../instrumentation/libraries.js'
import type * as WebPart from '../instrumentation/part.cjs'
import { ANCHOR, EXPORTER, LINK } from '../link/format.js'
import { makeFolder } from '../link/owner.js'
import { whenPoolLoads } from '../pools/files.js'
import type * as PoolsPart from '../pools/part.cjs'
import { providePoolTracing } from '../pools/shared.js'
import { LOGS_KEY, whenApiIsUsed } from '../sdk/late-api.js'
import type { Watch } from './doctor.cjs'
import { forgetFollowed, noteFollowed } from './double.js'
import { measuredByDescendants } from './measured-above.js'
import { currentNote, writeCurrent } from './message-contexts.js'
import { configuredPart, overlays } from './overlay.js'
import {
  isSignal,
  ownTracer,
  processEnd,
  type Runtime,
  shortName,
  type WorkerHandoff,
  whenSdk,
} from './runtime.js'
import { poolTracing } from './task-spans.js'

export { ANCHOR, EXPORTER, LINK }

/**
 * Workers and children whose context is none: they outlive the request that happens to make them. Their tasks bring contexts of their own.
 */
const POOLS = /[\\/]node_modules[\\/](?:piscina|tinypool|workerpool|poolifier|jest-worker|bullmq)[\\/]/
/** Of those, the ones whose tasks carry their context by themselves, over ports of their own: what their other messages are sent in is nobody's. */
const PORTS = /[\\/]node_modules[\\/](?:piscina|tinypool)[\\/]/
/** Workers that libraries run for themselves and that never make a span: they stay as they are. */
const HELPERS = /[\\/]node_modules[\\/](?:thread-stream|esbuild|synckit|@swc|sass-embedded)[\\/]/

/** Files of loggers that were perhaps loaded before there was anything to follow. */
const LOGGERS =
  /[\\/](?:pino[\\/]lib[\\/]tools|winston[\\/]lib[\\/]winston[\\/]logger|bunyan[\\/]lib[\\/]bunyan)\.js$/

export interface FollowOptions {
  /** Absolute path of the preload. */
  readonly preload: string
  /** Absolute path of the folder of built files. */
  readonly folder: string
  /** As it was at the start. */
  readonly env: NodeJS.ProcessEnv
  /** Names of instrumentations to leave out. */
  readonly disabled: readonly string[]
  /** Where `threadspan doctor` watches. */
  readonly watch?: Watch | undefined
}

/** A part that follows libraries of one kind. */
interface Part {
  readonly INSTRUMENTATIONS: readonly Instrumentation[]
}

/** Follows everything that this thread makes. */
export function followAll(runtime: Runtime, options: FollowOptions): void {
  /** Stacks of where Workers were made, which are only put into words when one is needed. */
  const makers = new WeakMap<object, { readonly stack?: string }>()
  const { watch } = options
  const own = dirname(options.preload)
  const workers: WorkerBoundary = {
    preload: options.preload,
    open({ filename, name }): WorkerHandoff | undefined {
      const file = String(filename)
      if (HELPERS.test(file)) return undefined
      const { current: overlay } = overlays
      const carrier = POOLS.test(file) ? {} : capture().toCarrier({ clone: true })
      const handoff: WorkerHandoff = {
        relay: runtime.relay?.openThread(),
        // Where there is nothing, the Worker need not set anything up for it.
        carrier: Object.keys(carrier).length === 0 ? undefined : carrier,
        name,
        lastWords: runtime.recorder === undefined ? undefined : roomForLastWords(),
        ...(overlay === undefined ? {} : { overlay }),
        notes: runtime.config.disabled || PORTS.test(file) ? undefined : roomForNotes(),
      }
      const maker = {}
      Error.captureStackTrace(maker)
      makers.set(handoff, maker)
      return handoff
    },
    created(worker, data) {
      const { relay, notes } = data as WorkerHandoff
      keepWorkerListeners()
      if (relay !== undefined) runtime.relay?.threadCreated(relay)
      runtime.meters?.loaded?.addWorker(worker, (data as WorkerHandoff).name ?? `worker ${worker.threadId}`)
      if (notes !== undefined) noteMessages(worker, notes, writeCurrent)
    },
    errored(_worker, data, error) {
      const { lastWords } = data as WorkerHandoff
      if (lastWords === undefined) return
      const lines = String(makers.get(data as object)?.stack).split('\n')
      const frames = lines.filter((line) => line.startsWith('    at ') && !line.includes(own))
      hearLastWords(lastWords, error, frames.length === 0 ? undefined : frames.join('\n'))
    },
    ended(worker, data, end) {
      const { relay } = data as WorkerHandoff
      runtime.meters?.loaded?.removeWorker(worker)
      if (relay !== undefined) runtime.relay?.threadEnded(relay, workerDeath(end))
    },
    failed() {},
  }
  const children = childBoundary(runtime, options.preload)
  followWorkers(watch?.workers(workers) ?? workers)
  followChildren(options.folder, watch?.children(children) ?? children)
  deadlines.folder = (make) => (make ? linkFolder(runtime) : runtime.relay?.link)
  followPoolsLate(options.folder)
  watch?.loads()
  const instrumented = instrument(runtime, options)
  if (runtime.process !== undefined) {
    const ended: typeof processEnd.ended = (exitCode, uncaught) => {
      guarded('answered calls', instrumented.end)
      processEnd.ended(exitCode, uncaught)
    }
    followProcessEnd({ ...processEnd, ended }, isSignal)
  }
}

function followChildren(folder: string, boundary: ChildBoundary): void {
  whenChildProcessLoads(() => {
    guarded('children', () => loadPart<typeof ChildrenPart>(folder, 'children.cjs').followChildren(boundary))
  })
}

/** Loads the adapters of pools with the first library that one of them follows. */
function followPoolsLate(folder: string): void {
  const tracing = poolTracing()
  providePoolTracing(tracing)
  let isLoaded = false
  let stop: Disable | undefined
  stop = whenPoolLoads(() => {
    if (isLoaded) return
    isLoaded = true
    guarded('pools', () =>
      loadPart<typeof PoolsPart>(folder, 'pools.cjs').followPools({ tracing, folder: join(folder, 'pools') }),
    )
    // What it is being told of, it tells the adapters.
    stop?.()
  })
}

/**
 * Loads the instrumentations with the first thing that they follow: each kind of them by itself.
 * @returns `end` ends the spans that are to end with the process.
 */
function instrument(
  runtime: Runtime,
  { folder, disabled, env }: FollowOptions,
): { readonly end: () => void } {
  const ends: DisableNamed[] = []
  let web: typeof WebPart | undefined
  let hasSdk = false
  const enable = (instrumentations: readonly Instrumentation[]): void => {
    if (hasSdk) return
    // A signal that comes with the first requests finds the telemetry thread at work.
    const listens = (): void => runtime.process?.prepare()
    const { ignoreUrls } = runtime.config
    ends.push(enableAll(instrumentations, { tracer: ownTracer(), disabled, listens, ignoreUrls }))
    const names = instrumentations.map(({ name }) => name)
    noteFollowed(
      names.filter((name) => !disabled.includes(name)),
      (name) => {
        for (const end of ends) end(name)
      },
    )
  }
  loadOnce('web', () => {
    web = loadPart<typeof WebPart>(folder, 'instrumentation.cjs')
    enable(web.WEB)
    followSharedConnections(web.WEB)
    web.whenFrameworkLoads(() => enable(loadPart<typeof FrameworksPart>(folder, 'frameworks.cjs').ON_HTTP))
  })
  for (const kind of ['databases', 'sqlite', 'messaging', 'rpc'] as const) {
    loadOnce(kind, () => {
      const { INSTRUMENTATIONS } = loadPart<Part>(folder, `${kind}.cjs`)
      enable(INSTRUMENTATIONS)
      followSharedConnections(INSTRUMENTATIONS)
    })
  }
  const { logging } = runtime
  if (logging !== undefined) {
    if (namesExporters(env['OTEL_LOGS_EXPORTER'])) {
      const end = whenApiIsUsed(() => {
        end()
        logging.provide()
      }, LOGS_KEY)
    }
    const follow = (): void => logging.follow(disabled)
    if (exportsOfLoaded(LOGGERS).length > 0) guarded('loggers', follow)
    else loadOnce('loggers', follow)
    if (env['THREADSPAN_LOG_CONSOLE'] !== undefined) guarded('console', () => logging.followConsole())
  }
  // An SDK comes with instrumentations of its own choice; two of them would tell of each request twice.
  whenSdk(() => {
    hasSdk = true
    forgetFollowed()
    for (const end of ends) end()
    logging?.leave()
  })
  return { end: () => web?.endAnswered() }
}

/** Calls `load` when something of the kind is loaded, once. */
function loadOnce(kind: Kind, load: () => void): void {
  let isLoaded = false
  let stop: Disable | undefined
  stop = whenFollowedLoads(
    () => {
      if (isLoaded) return
      isLoaded = true
      guarded(kind, load)
      // What it is being told of, it tells the instrumentations.
      stop?.()
    },
    (other) => other === kind,
  )
}

/** For a Worker that is left alone: what it makes is left alone as well, and the preload stays out of sight. */
export function followNothing(preload: string): void {
  const open = (): undefined => undefined
  followWorkers({ preload, open, created() {}, ended() {}, failed() {} })
  followChildren(dirname(preload), { preload, open, started() {}, ended() {} })
}

interface Child {
  readonly span: Span | undefined
  readonly context: Context
  pid: number | undefined
}

function childBoundary(runtime: Runtime, preload: string): ChildBoundary {
  return {
    preload,
    open({ file, args }) {
      const isOfPool = args.some((argument) => POOLS.test(argument))
      const active = isOfPool ? ROOT_CONTEXT : contextApi.active()
      // Without an active span there is nothing that the child would be part of; its own transactions are its own.
      const span =
        trace.getSpan(active) === undefined
          ? undefined
          : ownTracer().startSpan(
              `spawn ${shortName(file)}`,
              { kind: SpanKind.INTERNAL, attributes: { 'process.executable.name': shortName(file) } },
              active,
            )
      const here = isOfPool ? Snapshot.ROOT : capture()
      const snapshot = span === undefined ? here : here.withContext(contextWithSpan(active, span))
      const env = carrierToEnv(snapshot.toCarrier())
      const limit = deadlines.part?.textFor(active)
      if (limit !== undefined) env[DEADLINE] = limit
      // The name of the whole run is for the process that begins it: a child that is part of nothing begins none.
      if (process.env[TRANSACTION] !== undefined) env[TRANSACTION] ??= ''
      if (runtime.relay !== undefined) {
        const link = linkFolder(runtime)
        if (link !== undefined) {
          env[LINK] = link
          env[EXPORTER] = exporterChoice(process.env)
          const measured = measuredByDescendants(runtime.relay)
          if (measured !== undefined) env[MEASURES] = measured
        }
        env[ANCHOR] = String(runtime.relay.connection.anchor)
      }
      return {
        env,
        handle: { span, context: active, pid: undefined } satisfies Child,
        note: args.some((argument) => PORTS.test(argument)) ? undefined : currentNote,
      }
    },
    started(handle, pid) {
      keepChildListeners()
      const child = handle as Child
      child.pid = pid
      child.span?.setAttribute('threadspan.child.pid', pid)
    },
    ended(handle, end) {
      const { context, span, pid } = handle as Child
      if (pid !== undefined) runtime.relay?.childEnded(pid, childDeath(end))
      if (span === undefined) return
      if (end.exitCode !== null) span.setAttribute('process.exit.code', end.exitCode)
      if (end.exitCode !== 0) span.setStatus({ code: SpanStatusCode.ERROR, message: childDeath(end) })
      else deadlines.part?.mark(span, context)
      span.end()
    },
  }
}

const folder = shared('runtime.link', () => ({ path: undefined as string | undefined }))

/** The folder to which descendants write: that of the process that exports, made private and when first needed. */
function linkFolder({ relay }: Runtime): string | undefined {
  if (folder.path !== undefined || relay === undefined) return folder.path
  try {
    folder.path = relay.link ?? makeFolder()
    if (relay.link === undefined) {
      live.open?.(folder.path)
      if (overlays.current !== undefined) configuredPart().handOnConfiguration(folder.path, process.env)
    }
  } catch (error) {
    debug('no folder for descendants: %s', error)
    return undefined
  }
  if (relay.link === undefined) relay.follow(folder.path)
  return folder.path
}
