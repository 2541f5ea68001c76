/**
 * The preload's first stage, which `register.cts` loads where Node is new enough, into every thread and child: what has to be done before the
 * program runs, and what sees that there is need of more. Bundled into one CommonJS file.
 */
import { isMainThread, type Worker } from 'node:worker_threads'
import { isChildProcessLoaded, whenChildProcessLoads } from '../boundaries/child-process-loads.js'
import type * as EnvironmentPart from '../boundaries/environment-part.cjs'
import { receiveHandoff } from '../boundaries/handoff.js'
import { MANIFEST } from '../boundaries/manifest.js'
import { type OwnPreload, ownPreload } from '../boundaries/own-preload.js'
import { type Construct, constructWorkersBy, workersAreConstructedBy } from '../boundaries/worker-class.js'
import { receiveNotes } from '../boundaries/worker-messages.js'
import { namesExporters } from '../config/names-exporters.js'
import { DOCTOR } from '../core/doctor.js'
import { warnOnce } from '../core/log.js'
import { beginNow, putOff, takeThread } from '../core/stage.js'
import { TRANSACTION } from '../core/variables.js'
import { whenErrorIsStray } from '../errors/late-errors.js'
import { isBuiltinLoaded } from '../hooks/builtin-loads.js'
import { guarded } from '../hooks/guarded.js'
import { followOwnDeath } from '../hooks/own-death.js'
import { loadPart } from '../hooks/parts.js'
import { whenFollowedLoads } from '../instrumentation/followed.js'
import { whenPoolLoads } from '../pools/files.js'
import { isApiUsed, LOGS_KEY, whenApiIsUsed } from '../sdk/late-api.js'
import type { WorkerHandoff } from './runtime.js'
import type { Begun, First, SecondStage } from './second-stage.cjs'

/** What Node is told to load in Workers and children. */
const REGISTER = `${__dirname}/register.cjs`

/** What the first stage is not enough for, from the start. */
function isNeededNow({ given, handoff, env }: First): boolean {
  return (
    // What goes through `console` is followed from the first line on.
    (given[DOCTOR] ?? handoff?.doctor ?? env['THREADSPAN_LOG_CONSOLE']) !== undefined ||
    (isMainThread &&
      // A file can say of metrics and logs as well.
      ((env[TRANSACTION] ?? env['OTEL_CONFIG_FILE'] ?? env['OTEL_EXPERIMENTAL_CONFIG_FILE']) !== undefined ||
        namesExporters(env['OTEL_METRICS_EXPORTER']))) ||
    isApiUsed() ||
    isChildProcessLoaded() ||
    ['_http_client', '_http_server'].some(isBuiltinLoaded)
  )
}

/** Whether there is something that an error which nobody catches would be told of. */
function isErrorOfInterest({ given, env, handoff }: First): boolean {
  return handoff !== undefined || (given['TRACEPARENT'] ?? env['TRACEPARENT']) !== undefined
}

/** Puts the environment of a child back as its parent's program chose it. @returns what was added to it. */
function takeGiven(own: OwnPreload): Readonly<Record<string, string>> {
  if (process.env[MANIFEST] === undefined) return {}
  return (
    guarded('environment', () =>
      loadPart<typeof EnvironmentPart>(__dirname, 'environment.cjs').restoreEnvironment(own),
    ) ?? {}
  )
}

function main(): void {
  // First: it puts `process.execArgv` back, which `ownPreload` reads.
  const handoff = receiveHandoff() as WorkerHandoff | undefined
  const given = takeGiven(ownPreload(REGISTER))
  // A Worker that is left alone runs the preload where Node hands it on by itself; it must not see it.
  const isAlone = !isMainThread && handoff === undefined
  if (!takeThread()) return
  const first: First = {
    folder: __dirname,
    preload: REGISTER,
    given,
    // As they are now, whatever the program makes of them before there is a span; in a Worker, as a configuration file has them.
    env: { ...process.env, ...handoff?.overlay },
    main: process.argv[1],
    handoff,
    isAlone,
  }
  let begun: Begun | undefined
  const begin = (): void => {
    try {
      begun = loadPart<SecondStage>(__dirname, 'second-stage.cjs').begin(first)
    } catch (error) {
      warnOnce('THREADSPAN_PRELOAD', `Nothing is traced in this thread: ${String(error)}`)
    }
  }
  if (isNeededNow(first)) begin()
  else wait(first, begin)
  // Whatever has captured `process.kill` by the time of the first span calls this one.
  if (isMainThread) followOwnDeath((reason, isKilled) => begun?.dies(reason, isKilled))
  if (handoff?.notes === undefined) return
  receiveNotes(handoff.notes, (words, at, fn) => {
    // In a thread without any context, a message without one needs none.
    if (at !== -1 || handoff.carrier !== undefined) beginNow()
    return begun === undefined ? fn() : begun.enterNote(words, at, fn)
  })
}

/** Calls `begin` with the first thing that needs the second stage. */
function wait(first: First, begin: () => void): void {
  let isBegun = false
  const before: (() => void)[] = []
  const after: (() => void)[] = []
  const beginOnce = (): void => {
    if (isBegun) return
    isBegun = true
    putOff(undefined)
    for (const fn of before) fn()
    begin()
    // What these are being told of, they tell the second stage.
    for (const fn of after) fn()
  }
  const waiting: Construct = (target, args, newTarget) => {
    beginOnce()
    const construct = workersAreConstructedBy()
    return construct === undefined || construct === waiting
      ? (Reflect.construct(target, args, newTarget as typeof target) as Worker)
      : construct(target, args, newTarget)
  }
  constructWorkersBy(waiting)
  whenChildProcessLoads(beginOnce)
  if (first.isAlone) return
  putOff(beginOnce)
  before.push(whenApiIsUsed(beginOnce))
  if (isErrorOfInterest(first)) before.push(whenErrorIsStray(beginOnce))
  const isLogged = namesExporters(first.env['OTEL_LOGS_EXPORTER'])
  if (isLogged) before.push(whenApiIsUsed(beginOnce, LOGS_KEY))
  // Loggers whose records go nowhere are of no interest outside of spans.
  after.push(
    whenPoolLoads(beginOnce),
    whenFollowedLoads(beginOnce, (kind) => isLogged || kind !== 'loggers'),
  )
}

main()
