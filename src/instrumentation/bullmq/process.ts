/** Jobs that are processed in the thread of their worker, and the loops that fetch them. */
import { context as contextApi, ROOT_CONTEXT } from '@opentelemetry/api'
import { followResult } from '../../context/settled.js'
import { Snapshot } from '../../context/snapshot.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { arrivedIn } from '../messaging-carrier.js'
import { endProcess, type Processing, startProcess } from '../messaging-span.js'
import { isSuppressed, withoutTracing } from '../suppressed.js'
import { arrivedWith, type JobOptions } from './carrier.js'
import { realFailure } from './failure.js'
import { current, destinationOf, type Holder, hasTelemetry } from './tracer.js'

/** A job as a worker has it. */
interface Job {
  readonly id?: unknown
  readonly name?: unknown
  readonly opts?: JobOptions
  readonly repeatJobKey?: unknown
  readonly attemptsMade?: unknown
}

/** What each job was processed in, for what is told of it afterwards. */
const processedIn = new WeakMap<object, Snapshot>()

/**
 * `run()` of workers and of QueueEvents: the loops that wait for jobs and events are nobody's, whoever made the worker, and what they ask the
 * server for without end is no span.
 */
export function running(original: Method): Method {
  return function (...args) {
    if (current.tracer === undefined || hasTelemetry(this as Holder)) return original.apply(this, args)
    return loop().run(() => original.apply(this, args))
  }
}

function loop(): Snapshot {
  return Snapshot.ROOT.withContext(withoutTracing(ROOT_CONTEXT))
}

/** `emit(event, job, …)` of the same: listeners are the application's. They run in what the job ran in. */
export function emitting(original: Method): Method {
  return function (...args) {
    if (!isSuppressed(contextApi.active())) return original.apply(this, args)
    const job = args[1]
    const snapshot = typeof job === 'object' && job !== null ? processedIn.get(job) : undefined
    return (snapshot ?? Snapshot.ROOT).run(() => original.apply(this, args))
  }
}

/** `Worker.prototype.callProcessJob(job, token, signal)`: one attempt. */
export function processing(original: Method): Method {
  return function (...args) {
    const job = args[0] as Job
    const begun = guarded('bullmq', () => begin(this as Holder, job))
    if (begun === undefined) return original.apply(this, args)
    const { snapshot, own } = begun
    const call = (): unknown => snapshot.run(() => original.apply(this, args))
    if (own === undefined) return call()
    try {
      return followResult(call(), (failure) => endProcess(own, realFailure(failure)))
    } catch (error) {
      endProcess(own, realFailure({ error }))
      throw error
    }
  }
}

interface Begun {
  readonly snapshot: Snapshot
  /** Undefined where BullMQ's own telemetry makes the span. */
  readonly own: Processing | undefined
}

function begin(worker: Holder, job: Job): Begun | undefined {
  const tracer = current.tracer
  if (tracer === undefined) return undefined
  const arrived = arrivedWith(job.opts)
  if (hasTelemetry(worker)) {
    if (arrived.values === undefined) return undefined
    return { snapshot: arrivedIn(contextApi.active(), {}, arrived.values), own: undefined }
  }
  const { id, name, attemptsMade } = job
  const attributes = {
    ...(typeof id === 'string' && { 'messaging.message.id': id }),
    ...(typeof name === 'string' && { 'bullmq.job.name': name }),
    // As BullMQ counts them once this one has ended.
    ...(typeof attemptsMade === 'number' && { 'bullmq.job.attempts.made': attemptsMade + 1 }),
  }
  const work = { operation: 'process', destination: destinationOf(worker, worker.name), attributes }
  // A scheduler's jobs go on for as long as there is one: they are no part of what has set it up.
  const own = startProcess(tracer, work, arrived, Boolean(job.repeatJobKey))
  processedIn.set(job, own.snapshot)
  return { snapshot: own.snapshot, own }
}
