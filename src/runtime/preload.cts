/** The preload, which `register.cts` loads where Node is new enough. It is bundled into one CommonJS file. */
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { restoreEnvironment } from '../boundaries/child-process.js'
import { ownPreload } from '../boundaries/own-preload.js'
import { receiveHandoff, untracedWorker } from '../boundaries/worker-threads.js'
import { choosesOther } from '../config/exporter-choice.js'
import { DOCTOR } from '../core/doctor.js'
import { followErrors } from '../errors/follow.js'
import { leaveLastWords } from '../errors/last-words.js'
import { guarded } from '../hooks/guarded.js'
import type { Watch, Watched } from './doctor.cjs'
import { ANCHOR, EXPORTER, followAll, followNothing, LINK } from './follow.js'
import { receiveInChild, receiveInWorker } from './message-contexts.js'
import { startRuntime, type WorkerHandoff, whenSdk } from './runtime.js'

/** What Node is told to load in Workers and children. */
const REGISTER = join(__dirname, 'register.cjs')

function anchorOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
}

/** Loads what only a program under `threadspan doctor` needs. */
function watch(told?: string, watched?: Watched): Watch | undefined {
  if (told === undefined) return undefined
  return guarded('doctor', () => require(join(__dirname, 'doctor.cjs')).watch(told, watched))
}

function main(): void {
  // First: it puts `process.execArgv` back, which `ownPreload` reads.
  const handoff = isMainThread ? undefined : (receiveHandoff() as WorkerHandoff | undefined)
  const given = restoreEnvironment(ownPreload(REGISTER))
  // A Worker that is left alone runs the preload where Node hands it on by itself; it must not see it.
  if (!isMainThread && handoff === undefined) {
    followNothing(REGISTER)
    return
  }
  const runtime = startRuntime({
    env: isMainThread ? { ...process.env, ...given } : process.env,
    collector: join(__dirname, 'collector.cjs'),
    worker: untracedWorker,
    handoff,
    origin: {
      // One that was told of an exporter of its own, by its parent's program or an `--env-file`, keeps that.
      link: choosesOther(process.env, given[EXPORTER]) ? undefined : given[LINK],
      anchor: anchorOf(given[ANCHOR]),
    },
  })
  if (runtime.recorder !== undefined) followErrors({ mode: runtime.config.errors })
  if (handoff?.notes !== undefined) receiveInWorker(handoff.notes)
  if (isMainThread && given[ANCHOR] !== undefined) receiveInChild()
  if (handoff?.lastWords !== undefined) leaveLastWords(handoff.lastWords)
  const disabled = (process.env['OTEL_NODE_DISABLED_INSTRUMENTATIONS'] ?? '')
    .split(',')
    .map((name) => name.trim())
  followAll(runtime, {
    preload: REGISTER,
    pools: join(__dirname, 'pools'),
    disabled,
    watch: watch(given[DOCTOR] ?? handoff?.doctor, { runtime, disabled, handoff, whenSdk }),
  })
}

main()
