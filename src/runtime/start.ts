/** For programs that say it in code: what the preload would start, without following anything. */
import threads from 'node:worker_threads'
import { untracedWorker } from '../boundaries/handoff.js'
import type { Overlay } from '../config/file/resolve.js'
import { namesExporters } from '../config/names-exporters.js'
import { ThreadspanError } from '../core/errors.js'
import { ownFile } from '../core/own-files.js'
import { followErrors } from '../errors/follow.js'
import { followProcessEnd } from '../hooks/process-end.js'
import type { Connection } from '../link/messages.js'
import { attachOwnSurfacers } from '../metrics/own-surfacers.js'
import type { Surfacer } from '../metrics/surfacer.js'
import { providePoolTracing } from '../pools/shared.js'
import { isAccounting, readAccounts, type SpanAccounts } from '../ring/accounts.js'
import { joinSdk } from '../sdk/join.js'
import { configuredEnvironment } from './configured.js'
import { measureInProcess } from './measure-in-process.js'
import { overlays } from './overlay.js'
import { ProcessRelay } from './process-relay.js'
import { addSurfacers, drainSurfacers } from './program-surfacers.js'
import { startRun } from './run-transaction.js'
import { currentRuntime, isSignal, processEnd, startRuntime } from './runtime.js'
import { MainThreadHost } from './surface-here.js'
import { poolTracing } from './task-spans.js'

/** Environment data by which Workers that are made after `start()` find the process's collector. */
const CONNECTION = 'threadspan:connection'

/** With what takes the place of variables, where there is a configuration file. */
interface StartedConnection extends Connection {
  readonly overlay?: Overlay
}

export interface StartOptions {
  /**
   * Get each value that is measured, in whichever thread or child process: called in the main thread, behind the work that measured. Values are
   * measured then though no exporter is named for them. In a Worker, and in a child process that hands on to its
   * parent, they are ignored: those of the process that exports get what is measured there.
   */
  readonly surfacers?: readonly Surfacer[]
}

/**
 * Starts recording in the main thread: registers a context manager, a propagator and a TracerProvider with OpenTelemetry's API,
 * unless the application, or the preload, has registered them before; an OpenTelemetry SDK that the application registers, before
 * or after, makes the spans of the main thread and is handed those of other threads (see `handSpansTo`). Reads the `OTEL_*` and
 * `THREADSPAN_*` variables.
 * Nothing of Node's is replaced: Workers are joined by importing `threadspan/worker` in them, pools by `tracePool`.
 *
 * Spans are exported by a thread of their own, which starts with the first span. At the process's end what is left is
 * delivered before it is gone, within `THREADSPAN_EXIT_TIMEOUT` milliseconds.
 *
 * May be called again, also where the preload has started everything: with surfacers that are to be told.
 *
 * @returns Whether this thread records; false where the environment has disabled it (`OTEL_SDK_DISABLED`).
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` where a surfacer has no method `record`; `THREADSPAN_BUNDLED` where a bundler has taken this code away from the package's other files.
 */
export function start({ surfacers = [] }: StartOptions = {}): boolean {
  for (const surfacer of surfacers) {
    if (typeof surfacer?.record !== 'function')
      throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'A surfacer must have a method record')
  }
  const isStarted = startThread()
  const { process: own, recorder, meters } = currentRuntime() ?? {}
  if (own === undefined || own.link !== undefined) return isStarted
  const listen = (some: readonly Surfacer[]): void => {
    addSurfacers(some, () => new MainThreadHost(own))
    meters?.register()
    if (recorder !== undefined && meters !== undefined) meters.measureSpans(recorder)
  }
  if (surfacers.length > 0) listen(surfacers)
  attachOwnSurfacers((surfacer) => listen([surfacer]))
  return isStarted
}

function startThread(): boolean {
  const running = currentRuntime()
  if (running !== undefined) return running.recorder !== undefined
  if (!threads.isMainThread) return joinProcess()
  const env = configuredEnvironment(process.env)
  const runtime = startRuntime({
    env,
    collector: ownFile('collector.cjs'),
    processPart: () => ({ ProcessRelay, joinSdk, measureInProcess, startRun }),
    worker: untracedWorker,
  })
  if (runtime.process !== undefined) {
    const { current: overlay } = overlays
    threads.setEnvironmentData(CONNECTION, {
      ...runtime.process.connection,
      ...(overlay === undefined ? {} : { overlay }),
    })
    runtime.process.listen()
    followProcessEnd(processEnd, isSignal)
  }
  providePoolTracing(poolTracing())
  if (runtime.recorder !== undefined) followErrors({ mode: runtime.config.errors })
  if (namesExporters(env['OTEL_LOGS_EXPORTER'])) runtime.logging?.provide()
  return runtime.recorder !== undefined
}

/**
 * Joins a Worker to the process that called `start()`.
 * @returns Whether this thread records.
 */
export function joinProcess(): boolean {
  const running = currentRuntime()
  if (running !== undefined) return running.recorder !== undefined
  // In a main thread it is `start` that does, now or later.
  if (threads.isMainThread) return false
  const connection = threads.getEnvironmentData(CONNECTION) as unknown as StartedConnection | undefined
  const env = { ...process.env, ...connection?.overlay }
  const runtime = startRuntime({ env, worker: untracedWorker, connection })
  providePoolTracing(poolTracing())
  if (runtime.recorder !== undefined) followErrors({ mode: runtime.config.errors })
  if (namesExporters(env['OTEL_LOGS_EXPORTER'])) runtime.logging?.provide()
  return runtime.recorder !== undefined
}

/**
 * Delivers the spans that have ended until now.
 * @returns When the destination has answered, or after 30 seconds. In a Worker at once: its spans are in shared memory, and safe.
 */
export async function flush(): Promise<void> {
  const runtime = currentRuntime()
  await runtime?.process?.flush()
  drainSurfacers()
  await runtime?.sdk?.settle()
}

/**
 * What has become of the spans of this process, of all of its threads, until now. Those of child processes are among them, and those that
 * wait in shared memory are not yet: `await flush()` first to have every one that has ended.
 * @returns undefined where nothing is recorded, and in a child process, whose spans its parent accounts for.
 */
export function accounts(): SpanAccounts | undefined {
  const connection = currentRuntime()?.relay?.connection
  if (connection === undefined) return undefined
  const isHere = connection.link === undefined || isAccounting(connection.control)
  return isHere ? readAccounts(connection.control) : undefined
}
