/** The preload's second stage, which a thread loads with the first thing that needs it. Bundled with what it shares with other parts. */
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { untracedWorker } from '../boundaries/handoff.js'
import type { EnterNote } from '../boundaries/worker-messages.js'
import { disabledNames } from '../config/disabled.js'
import { choosesOther } from '../config/exporter-choice.js'
import { DOCTOR } from '../core/doctor.js'
import { MEASURES } from '../core/variables.js'
import { followErrors } from '../errors/follow.js'
import { leaveLastWords } from '../errors/last-words.js'
import { guarded } from '../hooks/guarded.js'
import { loadPart } from '../hooks/parts.js'
import type { Watch, Watched } from './doctor.cjs'
import { ANCHOR, EXPORTER, followAll, followNothing, LINK } from './follow.js'
import { measuredAbove } from './measured-above.js'
import { enterNote, receiveInChild } from './message-contexts.js'
import { configFileOf, configuredPart } from './overlay.js'
import { processEnd, startRuntime, type WorkerHandoff, whenSdk } from './runtime.js'

/** What the first stage has found. */
export interface First {
  /** Absolute path of the folder of built files. */
  readonly folder: string
  /** Absolute path of what Node is told to load. */
  readonly preload: string
  /** What the parent process had put into the environment. */
  readonly given: Readonly<Record<string, string>>
  /** What the program was given; in a Worker with what takes the place of variables. */
  readonly env: NodeJS.ProcessEnv
  /** `process.argv[1]` at the start. */
  readonly main: string | undefined
  /** In a Worker: what its maker handed over. */
  readonly handoff: WorkerHandoff | undefined
  /** Whether this is a Worker that nobody follows. */
  readonly isAlone: boolean
}

/** What the first stage calls from now on. */
export interface Begun {
  readonly enterNote: EnterNote
  readonly dies: (reason: string, isKilled: boolean) => void
}

/** This file's exports. */
export interface SecondStage {
  begin(first: First): Begun
}

function anchorOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
}

/** Loads what only a program under `threadspan doctor` needs. */
function watch(folder: string, told?: string, watched?: Watched): Watch | undefined {
  if (told === undefined) return undefined
  return guarded('doctor', () =>
    loadPart<typeof import('./doctor.cjs')>(folder, 'doctor.cjs').watch(told, watched),
  )
}

/** Sets this thread up. Once. */
export function begin(first: First): Begun {
  const { folder, preload, given, handoff, isAlone } = first
  const begun: Begun = { enterNote, dies: processEnd.dies }
  if (isAlone) {
    followNothing(preload)
    return begun
  }
  // One that was told of an exporter of its own, by its parent's program or an `--env-file`, keeps that.
  const link = choosesOther(first.env, given[EXPORTER]) ? undefined : given[LINK]
  let env = isMainThread ? { ...first.env, ...given } : first.env
  if (isMainThread && configFileOf(env) !== undefined) env = configuredPart().configuredEnvironment(env, link)
  const runtime = startRuntime({
    env,
    main: first.main,
    collector: join(folder, 'collector.cjs'),
    processPart: () => loadPart(folder, 'process.cjs'),
    worker: untracedWorker,
    handoff,
    origin: {
      link,
      anchor: anchorOf(given[ANCHOR]),
      measured: measuredAbove(given[MEASURES]),
    },
  })
  if (runtime.recorder !== undefined) followErrors({ mode: runtime.config.errors })
  if (isMainThread && given[ANCHOR] !== undefined) receiveInChild()
  if (handoff?.lastWords !== undefined) leaveLastWords(handoff.lastWords)
  const disabled = disabledNames(first.env)
  followAll(runtime, {
    preload,
    folder,
    env,
    disabled,
    watch: watch(folder, given[DOCTOR] ?? handoff?.doctor, { runtime, disabled, handoff, whenSdk }),
  })
  return begun
}
