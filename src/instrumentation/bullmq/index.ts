import type { Tracer } from '@opentelemetry/api'
import type { Disable } from '../../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import type { Instrumentation } from '../contract.js'
import { inFolder } from '../libraries.js'
import { addingBulk, addingFlow, addingFlows, addingJob, addingScheduler } from './add.js'
import { emitting, processing, running } from './process.js'
import { loading, starting } from './sandbox.js'
import { current } from './tracer.js'

/**
 * BullMQ: a PRODUCER span of each call that adds jobs, and a transaction of each attempt at one. Queues, flows and workers that BullMQ's own
 * `telemetry` option is given to make their own spans, and only registered values are added to their jobs.
 */
export const bullmq: Instrumentation = { name: 'bullmq', versions: '5, 6', enable }

/** Any file of BullMQ. */
const FILE = inFolder('bullmq')

type Patches = Readonly<Record<string, (original: Method) => Method>>

/** Its own files ask for these; which of them it is loaded with first, `LIBRARIES` says. */
const FILES = ['./queue', './flow-producer', './worker', './queue-events', './child-processor']

/** By the class that a file exports. */
const CLASSES: Readonly<Record<string, Patches>> = {
  Queue: { add: addingJob, addBulk: addingBulk, upsertJobScheduler: addingScheduler },
  FlowProducer: { add: addingFlow, addBulk: addingFlows },
  Worker: { run: running, emit: emitting, callProcessJob: processing },
  QueueEvents: { run: running, emit: emitting },
  ChildProcessor: { init: loading, start: starting },
}

function enable(by: Tracer): Disable {
  current.tracer = by
  const forget = onLoads(new Map<string, OnLoad>(FILES.map((request) => [request, patch])))
  return () => {
    current.tracer = undefined
    forget()
  }
}

function patch({ exports, parent }: Loaded): undefined {
  if (!FILE.test(parent) || typeof exports !== 'object' || exports === null) return
  for (const [name, patches] of Object.entries(CLASSES)) {
    const prototype = prototypeOf((exports as Record<string, unknown>)[name])
    if (prototype === undefined) continue
    for (const [method, make] of Object.entries(patches)) patchMethod(prototype, method, make, 'spans')
  }
}
