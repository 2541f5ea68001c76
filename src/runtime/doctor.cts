/**
 * What the preload loads beside itself in a program that `threadspan doctor` watches: it appends what happens to a file of its own process
 * in the doctor's folder. Bundled into one CommonJS file, which no other program ever reads.
 */

import diagnostics from 'node:diagnostics_channel'
import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import threads, { type Worker } from 'node:worker_threads'
import type { ChildBoundary } from '../boundaries/child-process.js'
import type { WorkerBoundary } from '../boundaries/worker-threads.js'
import {
  DOCTOR,
  type DoctorRecord,
  isDoctorsFolder,
  type MadeRecord,
  RECORDS_SUFFIX,
  readTold,
  type ThreadRecord,
} from '../core/doctor.js'
import { randomHex } from '../core/ids.js'
import { watchApiUse } from './doctor-api.js'
import { watchLoads } from './doctor-loads.js'
import { describeChild, errorName, libraryOf, MOST_NAME, madeAt, shortName } from './doctor-names.js'
import type { Runtime, WorkerHandoff } from './runtime.js'

/** What the preload has in this thread. */
export interface Watched {
  readonly runtime: Runtime
  /** Names of instrumentations that are left out. */
  readonly disabled: readonly string[]
  /** What a Worker's maker gave it. */
  readonly handoff: WorkerHandoff | undefined
  /** Calls back once the application has registered a TracerProvider. */
  readonly whenSdk: (fn: () => void) => void
}

/** Puts what tells the doctor around what crosses from this thread. */
export interface Watch {
  workers(boundary: WorkerBoundary): WorkerBoundary
  children(boundary: ChildBoundary): ChildBoundary
  /** Watches what is loaded. To be called once the pools are followed: it goes around that. */
  loads(): void
}

/** Bytes that one process may fill. */
const MOST_BYTES = 4 << 20
type Tell = (record: DoctorRecord) => void

function teller(folder: string): Tell {
  const path = join(folder, `${process.pid}${RECORDS_SUFFIX}`)
  return (record) => {
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (size < MOST_BYTES) appendFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 })
    } catch {
      // The doctor has gone home. The program is not to notice.
    }
  }
}

/** Records of one thread. */
const MOST_RECORDS = 5000

function stateOf({ config, recorder }: Runtime): ThreadRecord['state'] {
  if (recorder === undefined) return config.disabled ? 'disabled' : 'memory'
  return config.sampler.kind === 'always_off' ? 'off' : 'records'
}

function threadRecord(id: string, thread: string, watched: Watched | undefined): ThreadRecord {
  const { isMainThread, threadId } = threads
  const workerName = watched?.handoff?.name ?? `worker ${threadId}`
  return {
    type: 'thread',
    id,
    thread,
    pid: process.pid,
    isMain: isMainThread,
    name: isMainThread ? shortName(process.argv[1] ?? process.argv0) : workerName.slice(0, MOST_NAME),
    node: process.version,
    state: watched === undefined ? 'old' : stateOf(watched.runtime),
    errors: watched?.runtime.config.errors ?? '',
    disabled: watched?.disabled.filter((name) => name !== '').slice(0, 20) ?? [],
  }
}

/** What {@link Watch.workers} needs. */
interface Telling {
  readonly folder: string
  readonly tell: Tell
  readonly newId: () => string
}

function watchWorkers(inner: WorkerBoundary, { folder, tell, newId }: Telling): WorkerBoundary {
  const made = new WeakMap<object, Pick<MadeRecord, 'type' | 'id' | 'file' | 'library'>>()
  return {
    ...inner,
    open(worker) {
      const data = inner.open(worker) as WorkerHandoff | undefined
      const file = worker.eval ? '[eval]' : shortName(worker.filename)
      const library = worker.eval ? undefined : libraryOf(String(worker.filename))
      const record = { type: 'worker', id: newId(), file, library } as const
      if (data === undefined) {
        tell({ ...record, state: 'helper' })
        return undefined
      }
      // The same object: it is by this one that the others know the Worker.
      made.set(Object.assign(data, { doctor: `${record.id}:${folder}` }), record)
      return data
    },
    created(worker, data) {
      const record = made.get(data as object)
      if (record !== undefined) tell({ ...record, state: 'followed' })
      inner.created(worker, data)
    },
    ended(worker, data, end) {
      const { exitCode, terminated, error } = end
      const id = made.get(data as object)?.id
      if (id !== undefined)
        tell({ type: 'ended', id, exitCode, signal: null, terminated, error: errorName(error) })
      inner.ended(worker, data, end)
    },
    failed(data, error) {
      const record = made.get(data as object)
      if (record !== undefined) {
        tell({ ...record, state: 'refused' })
        tell({
          type: 'ended',
          id: record.id,
          exitCode: null,
          signal: null,
          terminated: false,
          error: errorName(error),
        })
      }
      inner.failed(data, error)
    },
  }
}

function watchChildren(inner: ChildBoundary, { folder, tell, newId }: Telling): ChildBoundary {
  interface Handle {
    readonly inner: unknown
    readonly id: string
  }
  return {
    preload: inner.preload,
    open(child) {
      const opened = inner.open(child)
      if (opened === undefined) return undefined
      const id = newId()
      tell({ type: 'child', id, state: 'followed', ...describeChild(child.file, child.args) })
      const handle: Handle = { inner: opened.handle, id }
      return { ...opened, env: { ...opened.env, [DOCTOR]: `${id}:${folder}` }, handle }
    },
    started: (handle, pid) => inner.started((handle as Handle).inner, pid),
    ended(handle, end) {
      const { exitCode, signal, error } = end
      const { id } = handle as Handle
      tell({ type: 'ended', id, exitCode, signal, terminated: false, error: errorName(error) })
      inner.ended((handle as Handle).inner, end)
    },
  }
}

/**
 * Watches this thread.
 *
 * @param told what its maker was told: an id, and the doctor's folder.
 * @param watched undefined where this Node is too old for anything else than to say so.
 * @returns undefined where there is no folder that can be trusted.
 */
export function watch(told: string, watched: Watched | undefined): Watch | undefined {
  const { id, folder } = readTold(told) ?? {}
  if (id === undefined || folder === undefined || !isDoctorsFolder(folder)) return undefined
  const write = teller(folder)
  let left = MOST_RECORDS
  const tell: Tell = (record) => {
    if (left-- > 0) write(record)
  }
  const thread = `${process.pid}.${threads.threadId}.${randomHex(8)}`
  tell(threadRecord(id, thread, watched))
  if (watched === undefined) return undefined
  watched.whenSdk(() => tell({ type: 'loaded', thread, what: 'sdk', version: '' }))
  let count = 0
  const newId = () => `${thread}.${++count}`
  const telling: Telling = { folder, tell, newId }
  diagnostics.subscribe('worker_threads', (message) => {
    const { worker } = message as { worker: Worker }
    // Node's own threads, for module hooks and such, are of a class that nobody else has.
    if (worker.constructor.name === 'InternalWorker') return
    const file = madeAt(__dirname)
    if (file !== undefined) tell({ type: 'worker', id: newId(), file, state: 'unseen' })
  })
  return {
    workers: (boundary) => watchWorkers(boundary, telling),
    children: (boundary) => watchChildren(boundary, telling),
    loads() {
      watchLoads(thread, tell)
      watchApiUse((version) => tell({ type: 'loaded', thread, what: '@opentelemetry/api', version }))
    },
  }
}
