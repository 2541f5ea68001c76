/**
 * What runs in each thread, put together: context, recorder, relay, and what is followed from here. The faces `register`,
 * `index` and `worker` call it; it is the only place that knows all the parts.
 */
import { basename, dirname } from 'node:path'
import threads from 'node:worker_threads'
import {
  type ContextManager,
  context as contextApi,
  propagation,
  ROOT_CONTEXT,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { isDisabled } from '../config/disabled.js'
import type { Overlay } from '../config/file/resolve.js'
import { readTracingConfig, type SamplerConfig, type TracingConfig } from '../config/tracing.js'
import { type Carrier, carrierFromEnv } from '../context/carrier.js'
import { askDirectly } from '../context/current.js'
import { deadlines } from '../context/deadline.js'
import { ThreadContextManager } from '../context/manager.js'
import { createPropagator } from '../context/propagators.js'
import { Snapshot } from '../context/snapshot.js'
import { shareClock, startClock } from '../core/clock.js'
import { ownDeath } from '../core/death.js'
import { debug } from '../core/log.js'
import { ownFile } from '../core/own-files.js'
import { shared } from '../core/shared.js'
import { beginNow } from '../core/stage.js'
import { TRANSACTION } from '../core/variables.js'
import { VERSION } from '../core/version.js'
import { leaveStacks, recordErrorFields } from '../exceptions/settings.js'
import { guarded } from '../hooks/guarded.js'
import { loadPart } from '../hooks/parts.js'
import type { Connection, Handoff } from '../link/messages.js'
import { Recorder } from '../recorder/recorder.js'
import { alwaysOff, alwaysOn, parentBased, type Sampler, traceIdRatio } from '../recorder/sampler.js'
import { threadAttributes } from '../recorder/thread-attributes.js'
import { CLOCK, MEASURES, SETTINGS, SIGNAL_WORDS, SIGNALS, SIGNALS_CROSS } from '../ring/layout.js'
import { Ring } from '../ring/ring.js'
import type { ListenerChange } from '../ring/signal-listeners.js'
import { BasedContextManager } from '../sdk/based-context-manager.js'
import { adoptEarlyTracers } from '../sdk/early-tracers.js'
import { shareGlobalApi } from '../sdk/global-api.js'
import type { joinSdk, SdkLink } from '../sdk/join.js'
import type { Reading } from '../sdk/reading.js'
import { YieldingProvider } from '../sdk/yielding-provider.js'
import { loadMetrics } from './load-metrics.js'
import { LateLogging } from './logging.js'
import type { measureInProcess } from './measure-in-process.js'
import { LateMeterProvider } from './measuring.js'
import type { ProcessRelay } from './process-relay.js'
import { endSurfacers } from './program-surfacers.js'
import type { RunTransaction, startRun } from './run-transaction.js'
import type * as SettingsPart from './settings-part.cjs'
import type { ThreadRelay } from './thread-relay.js'
import { WorkerRelay } from './worker-relay.js'

/** The name by which what is told of Node and V8 can be turned off, as OpenTelemetry calls it. */
const RUNTIME_METRICS = 'runtime-node'

/** The name under which our own spans' instrumentation scope goes. */
export const SCOPE = 'threadspan'

/** What a thread hands to a Worker that it makes, beside its context. */
export interface WorkerHandoff {
  readonly relay: Handoff | undefined
  readonly carrier: Carrier | undefined
  readonly name: string | undefined
  /** Where it leaves word of the error that ends it; undefined where nothing is recorded. */
  readonly lastWords: SharedArrayBuffer | undefined
  /** Where the contexts of messages to it are; undefined where it has none of its own to tell from them. */
  readonly notes: SharedArrayBuffer | undefined
  /** What takes the place of its environment's variables; undefined where there is no configuration file. */
  readonly overlay?: Overlay | undefined
  /** What a watching `threadspan doctor` has to say to it. */
  readonly doctor?: string
}

/** What the environment of a child process says beside its carrier. */
export interface ProcessOrigin {
  /** The folder of the process that exports. */
  readonly link: string | undefined
  /** Its clock anchor, in nanoseconds. */
  readonly anchor: bigint | undefined
  /** What it reads of what is measured here: `measuredAbove`. */
  readonly measured?: number
}

/** What only a main thread needs, and a Worker shall not have to parse. */
export interface ProcessPart {
  readonly ProcessRelay: typeof ProcessRelay
  readonly joinSdk: typeof joinSdk
  readonly measureInProcess: typeof measureInProcess
  readonly startRun: typeof startRun
}

export interface RuntimeOptions {
  /** The environment, with what a parent process had put into it. */
  readonly env: NodeJS.ProcessEnv
  /** The program's file, as it was given; `process.argv[1]` where it is left out. */
  readonly main?: string | undefined
  /** In a main thread: the absolute path of the telemetry thread's program. */
  readonly collector?: string
  /** In a main thread: loads what that needs. */
  readonly processPart?: () => ProcessPart
  /** The Worker constructor for threads of our own. */
  readonly worker: () => typeof threads.Worker
  /** In a Worker: what its maker handed over. */
  readonly handoff?: WorkerHandoff | undefined
  /** In a Worker whose maker follows no Workers: what connects it with the process. */
  readonly connection?: Connection | undefined
  readonly origin?: ProcessOrigin
}

/** A thread's running parts. */
export interface Runtime {
  readonly config: TracingConfig
  readonly recorder: Recorder | undefined
  readonly relay: ThreadRelay | undefined
  /** The relay as the process's, in the main thread. */
  readonly process: ProcessRelay | undefined
  /** What ties a process that exports to an SDK of the application's. */
  readonly sdk: SdkLink | undefined
  /** Undefined where nothing is measured. */
  readonly meters: LateMeterProvider | undefined
  /** Undefined where nothing is recorded. */
  readonly logging: LateLogging | undefined
}

const state = shared('runtime.current', () => ({
  runtime: undefined as Runtime | undefined,
  /** Whether the application has registered a TracerProvider in this thread. */
  hasSdk: false,
  waiting: [] as (() => void)[],
  /** Called with the name of an instrumentation that the application has registered. */
  instrumented: undefined as ((name: string) => void) | undefined,
  /** The transaction of the whole program, where it was asked for. */
  run: undefined as RunTransaction | undefined,
}))

/** This thread's runtime, once it was started. */
export function currentRuntime(): Runtime | undefined {
  beginNow()
  return state.runtime
}

function samplerOf({ kind, parentBased: follows, ratio }: SamplerConfig): Sampler {
  const root = kind === 'always_on' ? alwaysOn : kind === 'always_off' ? alwaysOff : traceIdRatio(ratio)
  return follows ? parentBased(root) : root
}

/** Big-endian machines would write ids and times backwards; none of Node's common platforms is one. */
function isLittleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
}

/** In a file of its own, since every Worker would parse it for the few main threads with an SDK. */
function loadReading(): Reading {
  const { createRequire } = process.getBuiltinModule('node:module')
  const file = ownFile('reading.cjs')
  return createRequire(file)(file) as Reading
}

/** Lets settings change while this thread runs. */
function followSettings(recorder: Recorder, { control, link }: ThreadRelay, isParentBased: boolean): void {
  const file = ownFile('settings.cjs')
  const folder = threads.isMainThread ? link : undefined
  const part = loadPart<typeof SettingsPart>(dirname(file), 'settings.cjs')
  part.followSettings({ recorder, control, isParentBased, folder })
}

/** Starts this thread's parts. Once per thread; later calls return the first one's. */
export function startRuntime(options: RuntimeOptions): Runtime {
  if (state.runtime !== undefined) return state.runtime
  const { config } = readTracingConfig(options.env)
  if (!config.sourceMaps) leaveStacks()
  recordErrorFields(config.errorFields)
  const isAble = !config.disabled && isLittleEndian() && typeof SharedArrayBuffer !== 'undefined'
  const part = isAble && threads.isMainThread ? options.processPart?.() : undefined
  const own = part && openProcess(part, options, config)
  const relay = own ?? (isAble && !threads.isMainThread ? openThread(options, config) : undefined)
  const recorder = relay === undefined ? undefined : createRecorder(options, config, relay)
  if (relay !== undefined) deadlines.cells = new Int32Array(relay.control.buffer, SIGNALS_CROSS, SIGNAL_WORDS)
  const carrier = threads.isMainThread ? carrierFromEnv(options.env) : options.handoff?.carrier
  const arrived = carrier === undefined ? undefined : Snapshot.from(carrier, { remote: threads.isMainThread })
  state.run = recorder && part?.startRun(recorder, SCOPE, options.env[TRANSACTION], arrived?.context)
  const base = state.run?.context ?? arrived?.context ?? ROOT_CONTEXT
  const provider =
    recorder === undefined ? undefined : new YieldingProvider(recorder, (name) => state.instrumented?.(name))
  if (own !== undefined)
    part?.measureInProcess(own, config, own.link === undefined ? 0 : options.origin?.measured)
  const meters = relay === undefined ? undefined : new LateMeterProvider(relay, own, options.env)
  const logging = relay === undefined ? undefined : new LateLogging(relay, options.env)
  const isMeasured = relay !== undefined && Atomics.load(relay.control, MEASURES) !== 0
  const sdk = own === undefined || own.link !== undefined ? undefined : part?.joinSdk(own, loadReading)
  shareGlobalApi({
    register(isFree) {
      const manager = new ThreadContextManager(base)
      if (contextApi.setGlobalContextManager(manager)) askDirectly(manager)
      propagation.setGlobalPropagator(createPropagator(config.propagators))
      if (provider !== undefined && isFree('trace')) trace.setGlobalTracerProvider(provider)
      if (isMeasured && isFree('metrics')) meters?.register()
    },
    taken(kind, registered) {
      debug('the application has registered its own: %s', kind)
      if (kind === 'context' && base !== ROOT_CONTEXT)
        return new BasedContextManager(registered as ContextManager, base)
      if (kind === 'trace') {
        provider?.yieldTo(registered as TracerProvider)
        sdk?.registered(registered)
        state.hasSdk = true
        for (const fn of state.waiting.splice(0)) fn()
      }
      return registered
    },
  })
  if (provider !== undefined) adoptEarlyTracers(provider)
  if (recorder !== undefined && relay !== undefined && Atomics.load(relay.control, SETTINGS) !== 0)
    guarded('settings', () => followSettings(recorder, relay, config.sampler.parentBased))
  // Where nobody asks for it at the start, it is no work for spans.
  if (recorder !== undefined && isMeasured && meters !== undefined)
    guarded('durations', () => meters.measureSpans(recorder))
  if (
    own !== undefined &&
    own.link === undefined &&
    config.measures &&
    !isDisabled(options.env, RUNTIME_METRICS)
  )
    guarded('runtime metrics', () => meters?.load().tellRuntime())
  const runtime: Runtime = {
    config,
    recorder,
    relay,
    process: own,
    sdk,
    meters,
    logging,
  }
  state.runtime = runtime
  debug(
    '%s: pid %d thread %d, %s',
    VERSION,
    process.pid,
    threads.threadId,
    recorder === undefined ? 'not recording' : 'recording',
  )
  return runtime
}

function createRecorder(options: RuntimeOptions, config: TracingConfig, relay: ThreadRelay): Recorder {
  const id = threads.threadId
  const name = threads.isMainThread ? 'main' : (options.handoff?.name ?? `worker ${id}`)
  return new Recorder({
    sampler: samplerOf(config.sampler),
    limits: config.limits,
    thread: threadAttributes(id, name),
    open: () => relay.ring(),
  })
}

/** Calls `fn` with the name of each instrumentation of OpenTelemetry's that the application registers. */
export function whenInstrumented(fn: (name: string) => void): void {
  state.instrumented = fn
}

/** Calls `fn` once this thread has an SDK of the application's; at once where it has one. */
export function whenSdk(fn: () => void): void {
  if (state.hasSdk) fn()
  else state.waiting.push(fn)
}

function openProcess(part: ProcessPart, options: RuntimeOptions, config: TracingConfig): ProcessRelay {
  const { collector = '', env, main = process.argv[1], origin, worker } = options
  return new part.ProcessRelay({
    collector,
    worker,
    ringSize: config.ringSize,
    exitTimeout: config.exitTimeout,
    anchor: origin?.anchor,
    link: origin?.link,
    cells: () => loadMetrics().ownCells(),
    Ring,
    main,
    env,
    outside: (fn) => contextApi.with(ROOT_CONTEXT, fn),
  })
}

function openThread({ handoff, connection }: RuntimeOptions, config: TracingConfig): ThreadRelay | undefined {
  const anchor = handoff?.relay?.anchor ?? connection?.anchor
  if (anchor === undefined) return undefined
  startClock(anchor)
  const words = handoff?.relay?.control ?? connection?.control
  if (words !== undefined) shareClock(new Int32Array(words), CLOCK)
  return handoff?.relay !== undefined
    ? new WorkerRelay(handoff.relay, config.ringSize)
    : WorkerRelay.join(connection!, config.ringSize)
}

/** A tracer for spans that this package makes by itself. */
export function ownTracer(): ReturnType<typeof trace.getTracer> {
  return trace.getTracer(SCOPE, VERSION)
}

/** Whether an event of `process` is a signal whose listeners are noted. */
export function isSignal(event: string): boolean {
  return (SIGNALS as readonly string[]).includes(event)
}

/** What is done when the process ends, or may be ended by a signal. */
export const processEnd = {
  /** Delivers everything. */
  ended(exitCode: unknown, uncaught: unknown): void {
    const { run, runtime } = state
    const death = ownDeath(exitCode, uncaught)
    guarded('transaction of the run', () => run?.end(exitCode, uncaught, death))
    guarded('observe', () => runtime?.meters?.loaded?.observe())
    runtime?.process?.finish(death)
    guarded('surfacers', endSurfacers)
    runtime?.sdk?.finish()
  },
  /**
   * It is about to be gone without an `exit` event.
   * @param reason One line.
   * @param isKilled What a killed descendant has written is closed by who reads it.
   */
  dies(reason: string, isKilled: boolean): void {
    if (isKilled && state.runtime?.process?.link !== undefined) return
    guarded('observe', () => state.runtime?.meters?.loaded?.observe())
    state.runtime?.process?.finish(reason)
    state.runtime?.sdk?.finish()
  },
  listener(event: string, change: ListenerChange): void {
    state.runtime?.process?.signalListener(event, change)
  },
}

/** A file's name as spans show it: without its folder, which can be long and private. */
export function shortName(file: string | URL): string {
  const text = typeof file === 'string' ? file : file.pathname
  return text.startsWith('data:') ? 'data:' : basename(text)
}
