/** What `threadspan doctor` and the processes that it watches say to each other. */

import { lstatSync } from 'node:fs'

/** Names what a watched process or collector is told: `<id>:<folder>`. Passed between processes, never set by a user. */
export const DOCTOR = 'THREADSPAN_DOCTOR'

/** The id by which the watched program itself is known. */
export const PROGRAM = 'program'

/** What ends the name of a file of records. Each holds lines of JSON, one {@link DoctorRecord} in each. */
export const RECORDS_SUFFIX = '.records'

/** A thread in which the preload runs. */
export interface ThreadRecord {
  readonly type: 'thread'
  /** Under which its maker has told of it: {@link PROGRAM}, or the `id` of a {@link MadeRecord}. Processes behind a shell share one. */
  readonly id: string
  /** Its own name in other records. */
  readonly thread: string
  readonly pid: number
  readonly isMain: boolean
  /** The program's file without its folder, or the Worker's name. */
  readonly name: string
  /** As `process.version`. */
  readonly node: string
  /** `old`: this Node is too old; `disabled`: `OTEL_SDK_DISABLED`; `off`: `OTEL_TRACES_SAMPLER`; `memory`: there is no shared memory. */
  readonly state: 'records' | 'old' | 'disabled' | 'off' | 'memory'
  readonly errors: string
  /** What `OTEL_NODE_DISABLED_INSTRUMENTATIONS` names. */
  readonly disabled: readonly string[]
}

/** A Worker or child that a watched thread has made, or tried to. */
export interface MadeRecord {
  readonly type: 'worker' | 'child'
  readonly id: string
  /** The file without its folder. */
  readonly file: string
  /** The package that a Worker's file is part of. */
  readonly library?: string | undefined
  /**
   * `followed`: the preload was given to it. `helper`: left alone on purpose. `refused`: the constructor threw. `unseen`: it came by
   * another way than the one that is followed; `file` is where it was made.
   */
  readonly state: 'followed' | 'helper' | 'refused' | 'unseen'
  /** Of a child. `other`: no Node by its name. `information`: it only prints a version or such. `restricted`: the permission model. */
  readonly kind?: 'node' | 'shell' | 'other' | 'information' | 'restricted' | undefined
}

/** How it ended. */
export interface EndedRecord {
  readonly type: 'ended'
  readonly id: string
  readonly exitCode: number | null
  readonly signal: string | null
  readonly terminated: boolean
  /** The `code` or, without one, the name of the error that ended it. */
  readonly error?: string | undefined
}

/** Something was loaded, or registered, in a thread. */
export interface LoadedRecord {
  readonly type: 'loaded'
  readonly thread: string
  /** `piscina`, `@opentelemetry/api`, or `sdk`: a TracerProvider of the application's. */
  readonly what: 'piscina' | '@opentelemetry/api' | 'sdk'
  readonly version: string
  /** Of a pool: by which way it is traced. */
  readonly way?: 'internals' | 'run' | 'none' | undefined
}

/** What became of spans, by a collector that exports. */
export interface AccountsRecord {
  readonly type: 'accounts'
  readonly made: number
  readonly delivered: number
  readonly dropped: readonly (readonly [cause: string, count: number])[]
}

export type DoctorRecord = ThreadRecord | MadeRecord | EndedRecord | LoadedRecord | AccountsRecord

/** Takes a value of {@link DOCTOR} apart. */
export function readTold(told: string): { id: string; folder: string } | undefined {
  const match = /^([\w.-]{1,64}):(.+)$/s.exec(told)
  return match === null ? undefined : { id: match[1]!, folder: match[2]! }
}

/** What the name of the doctor's folder begins with. */
export const DOCTOR_PREFIX = 'threadspan-doctor-'

/** The file by which a folder is known as one that a doctor has made. */
export const DOCTOR_MARK = 'doctor'

/**
 * Whether a folder is one that `threadspan doctor` made: it has such a name and its mark, and is this user's alone. The environment names it,
 * and whoever sets that may name any folder.
 */
export function isDoctorsFolder(folder: string): boolean {
  const name = /[\\/]([^\\/]+)$/.exec(folder)?.[1] ?? ''
  if (!/^threadspan-doctor-\w{6}$/.test(name)) return false
  try {
    const [stat, mark] = [lstatSync(folder), lstatSync(`${folder}/${DOCTOR_MARK}`)]
    const user = process.geteuid?.()
    const isOwn = user === undefined || (stat.uid === user && (stat.mode & 0o077) === 0 && mark.uid === user)
    return stat.isDirectory() && mark.isFile() && isOwn
  } catch {
    return false
  }
}
