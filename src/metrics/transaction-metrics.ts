/** What a transaction took, or a task in its worker, by choice (`THREADSPAN_TRANSACTION_METRICS`): read in its thread when it starts and when it ends. */
import { type Attributes, type Histogram, type MeterProvider, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import type { TransactionMetric } from '../config/measuring.js'
import { type MeasurableSpan, QUEUE_WAIT, type RootProbes } from '../recorder/measured.js'

/** Reads one figure, and measures what has become of it. */
interface Probe {
  read(): number
  measure(difference: number, attributes: Attributes, span: MeasurableSpan): void
}

/** Of a span's attributes, those that tell transactions apart. */
const ABOUT = new Set(['http.route', 'http.request.method'])

const BYTES = [0, 1, 10, 100, 1000, 10_000, 100_000].map((kilobytes) => kilobytes * 1024)
const SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** @param wanted At least one. */
export function probeTransactions(
  provider: MeterProvider,
  version: string,
  wanted: readonly TransactionMetric[],
  isListened: () => boolean,
): RootProbes {
  const probes = wanted.map((metric) => probeOf(provider, version, metric, isListened))
  const before = new WeakMap<MeasurableSpan, number[]>()
  return {
    started(span) {
      before.set(
        span,
        probes.map((probe) => probe.read()),
      )
    },
    ended(span) {
      const values = before.get(span)
      if (values === undefined) return
      const { attributes = [] } = span
      const about: Attributes = {}
      for (let i = 0; i < attributes.length; i += 2) {
        const key = attributes[i] as string
        if (ABOUT.has(key)) about[key] = attributes[i + 1]!
      }
      if (attributes[0] === QUEUE_WAIT) about['threadspan.task'] = span.name.replace(/^run /, '')
      // All of them before any is measured, which takes something itself.
      const after = probes.map((probe) => probe.read())
      probes.forEach((probe, i) => {
        // Memory that is given back meanwhile is none that was taken.
        probe.measure(Math.max(0, after[i]! - values[i]!), about, span)
      })
    },
  }
}

function probeOf(
  provider: MeterProvider,
  version: string,
  metric: TransactionMetric,
  isListened: () => boolean,
): Probe {
  const meter = provider.getMeter('threadspan/transactions', version)
  const histogram = (
    name: string,
    unit: string,
    description: string,
    bounds: readonly number[],
  ): Probe['measure'] => {
    const to: Histogram = meter.createHistogram(`threadspan.transaction.${name}`, {
      unit,
      description,
      advice: { explicitBucketBoundaries: [...bounds] },
    })
    return (difference, attributes, span) =>
      to.record(difference, attributes, isListened() ? trace.setSpan(ROOT_CONTEXT, span) : undefined)
  }
  switch (metric) {
    case 'cpu': {
      // Of the thread on Node 23.9 and later, else of the process.
      const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
      const usage = threadCpuUsage?.bind(process) ?? process.cpuUsage.bind(process)
      return {
        read() {
          const { user, system } = usage()
          return (user + system) / 1e6
        },
        measure: histogram('cpu.time', 's', 'Processor time while the transaction lasted.', SECONDS),
      }
    }
    case 'rss':
      return {
        read: () => process.memoryUsage.rss(),
        measure: histogram(
          'rss.growth',
          'By',
          'Growth of the resident memory while the transaction lasted.',
          BYTES,
        ),
      }
    case 'heap': {
      const { getHeapStatistics } = process.getBuiltinModule('node:v8')
      return {
        read: () => getHeapStatistics().used_heap_size,
        measure: histogram(
          'heap.growth',
          'By',
          'Growth of the heap in use while the transaction lasted.',
          BYTES,
        ),
      }
    }
    case 'modules': {
      const { _cache: cache = {} } = process.getBuiltinModule('node:module') as unknown as { _cache?: object }
      return {
        read: () => Object.keys(cache).length,
        measure: histogram(
          'modules',
          '{module}',
          'CommonJS modules that were loaded while the transaction lasted.',
          [0, 1, 10, 100, 1000],
        ),
      }
    }
    case 'loop': {
      const { performance } = process.getBuiltinModule('node:perf_hooks')
      return {
        read: () => performance.eventLoopUtilization().active / 1e3,
        measure: histogram(
          'loop.active',
          's',
          'Time in which the event loop was busy while the transaction lasted.',
          SECONDS,
        ),
      }
    }
  }
}
