/**
 * What the main thread tells of Node and V8 when it is asked, by OpenTelemetry's semantic conventions (1.45, "Node.js" and "V8 JS engine"): of
 * itself, and of the event loops of its Workers, which are read from outside, so that one that blocks is told of as well.
 */
import type { Attributes, BatchObservableResult, Meter, MeterProvider } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { readPools } from '../core/pool-figures.js'

/** A Worker as far as it is read from outside. */
export interface WatchedWorker {
  readonly threadId: number
  readonly performance: {
    eventLoopUtilization(): { readonly idle: number; readonly active: number; readonly utilization: number }
  }
}

type Loop = ReturnType<WatchedWorker['performance']['eventLoopUtilization']>

/** Milliseconds between two looks at the event loop's delay. */
const RESOLUTION = 50
/** Workers that are told of in the life of a process: each has series of its own. */
const MOST_WORKERS = 500
/** By Node's numbers (`perf_hooks.constants`). */
const GC_TYPES: Readonly<Record<number, string>> = {
  1: 'minor',
  2: 'minor',
  4: 'major',
  8: 'incremental',
  16: 'weakcb',
}
const MAIN: Attributes = { 'thread.id': 0, 'thread.name': 'main' }

const utilizationOf = (now: Loop, before: Loop): number => {
  const active = now.active - before.active
  const whole = active + now.idle - before.idle
  return whole > 0 ? active / whole : 0
}

/** Begins to tell. @returns Adds a Worker; it is told of until it is taken away. */
export function measureRuntime(
  provider: MeterProvider,
  version: string,
): { add(worker: WatchedWorker, name: string): void; remove(worker: WatchedWorker): void } {
  const meter = provider.getMeter('threadspan/runtime', version)
  const workers = new Map<WatchedWorker, { readonly attributes: Attributes; last: Loop }>()
  let known = 0
  measureLoops(meter, workers)
  measureDelay(meter)
  measureHeap(meter)
  measureCollections(meter)
  measureResources(meter)
  measurePools(meter)
  return {
    add(worker, name) {
      if (known++ >= MOST_WORKERS) {
        count('metric.worker')
        return
      }
      const attributes = { 'thread.id': worker.threadId, 'thread.name': name }
      workers.set(worker, { attributes, last: { idle: 0, active: 0, utilization: 0 } })
    },
    remove(worker) {
      workers.delete(worker)
    },
  }
}

function measureLoops(
  meter: Meter,
  workers: ReadonlyMap<WatchedWorker, { readonly attributes: Attributes; last: Loop }>,
): void {
  const { performance } = process.getBuiltinModule('node:perf_hooks')
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', {
    unit: '1',
    description: 'Event loop utilization.',
  })
  const time = meter.createObservableCounter('nodejs.eventloop.time', {
    unit: 's',
    description: 'Cumulative duration of time the event loop has been in each state.',
  })
  let last: Loop = { idle: 0, active: 0, utilization: 0 }
  const tell = (result: BatchObservableResult, loop: Loop, before: Loop, attributes: Attributes): void => {
    result.observe(utilization, utilizationOf(loop, before), attributes)
    result.observe(time, loop.active / 1e3, { ...attributes, 'nodejs.eventloop.state': 'active' })
    result.observe(time, loop.idle / 1e3, { ...attributes, 'nodejs.eventloop.state': 'idle' })
  }
  meter.addBatchObservableCallback(
    (result) => {
      const loop = performance.eventLoopUtilization()
      tell(result, loop, last, MAIN)
      last = loop
      for (const [worker, watched] of workers) {
        const theirs = worker.performance.eventLoopUtilization()
        tell(result, theirs, watched.last, watched.attributes)
        watched.last = theirs
      }
    },
    [utilization, time],
  )
}

function measureDelay(meter: Meter): void {
  const delay = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, { unit: 's', description })
  const gauges = {
    min: gauge('min', 'Event loop minimum delay.'),
    max: gauge('max', 'Event loop maximum delay.'),
    mean: gauge('mean', 'Event loop mean delay.'),
    stddev: gauge('stddev', 'Event loop standard deviation delay.'),
    p50: gauge('p50', 'Event loop 50 percentile delay.'),
    p90: gauge('p90', 'Event loop 90 percentile delay.'),
    p99: gauge('p99', 'Event loop 99 percentile delay.'),
  }
  meter.addBatchObservableCallback((result) => {
    // Nothing has been seen since: what there is says nothing.
    if (delay.count === 0) return
    // What is measured is the time between two looks.
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1e3)
    result.observe(gauges.min, seconds(delay.min), MAIN)
    result.observe(gauges.max, seconds(delay.max), MAIN)
    result.observe(gauges.mean, seconds(delay.mean), MAIN)
    result.observe(gauges.stddev, delay.stddev / 1e9, MAIN)
    result.observe(gauges.p50, seconds(delay.percentile(50)), MAIN)
    result.observe(gauges.p90, seconds(delay.percentile(90)), MAIN)
    result.observe(gauges.p99, seconds(delay.percentile(99)), MAIN)
    delay.reset()
  }, Object.values(gauges))
}

function measureHeap(meter: Meter): void {
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
  const counter = (name: string, description: string) =>
    meter.createObservableUpDownCounter(`v8js.memory.heap.${name}`, { unit: 'By', description })
  const used = counter('used', 'Heap memory size allocated.')
  const size = counter('space.size', 'Heap space total memory size.')
  const available = counter('space.available_size', 'Heap space available size.')
  const physical = counter('space.physical_size', 'Committed size of a heap space.')
  meter.addBatchObservableCallback(
    (result) => {
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name, 'thread.id': 0 }
        result.observe(used, space.space_used_size, attributes)
        result.observe(size, space.space_size, attributes)
        result.observe(available, space.space_available_size, attributes)
        result.observe(physical, space.physical_space_size, attributes)
      }
    },
    [used, size, available, physical],
  )
}

function measureCollections(meter: Meter): void {
  const duration = meter.createHistogram('v8js.gc.duration', {
    unit: 's',
    description: 'Garbage collection duration.',
    advice: { explicitBucketBoundaries: [0.01, 0.1, 1, 10] },
  })
  const { PerformanceObserver } = process.getBuiltinModule('node:perf_hooks')
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind = 0 } = (entry as { detail?: { kind?: number } }).detail ?? {}
      duration.record(entry.duration / 1e3, { 'v8js.gc.type': GC_TYPES[kind] ?? 'major' })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}

function measurePools(meter: Meter): void {
  const workers = meter.createObservableUpDownCounter('threadspan.pool.workers', {
    unit: '{worker}',
    description: 'Workers of pools.',
  })
  const queued = meter.createObservableUpDownCounter('threadspan.pool.queue.length', {
    unit: '{task}',
    description: 'Tasks that wait for a worker.',
  })
  meter.addBatchObservableCallback(
    (result) => {
      for (const { pool, workers: all, queued: waiting } of readPools()) {
        result.observe(workers, all, { 'threadspan.pool': pool })
        result.observe(queued, waiting, { 'threadspan.pool': pool })
      }
    },
    [workers, queued],
  )
}

function measureResources(meter: Meter): void {
  const active = meter.createObservableGauge('v8js.resource.active', {
    unit: '{resource}',
    description: 'Gauge of the active resources that are currently keeping the event loop alive.',
  })
  active.addCallback((result) => {
    const types = new Map<string, number>()
    for (const type of process.getActiveResourcesInfo()) types.set(type, (types.get(type) ?? 0) + 1)
    for (const [type, number] of types) result.observe(number, { 'v8js.resource.type': type, 'thread.id': 0 })
  })
}
