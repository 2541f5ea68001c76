/** What measures in this thread: loaded with the first meter that is asked for. */
import { dirname } from 'node:path'
import {
  context as contextApi,
  type Meter,
  type MeterOptions,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api'
import type { TracingConfig } from '../config/tracing.js'
import { transactionIn } from '../context/transaction.js'
import { epochMs, now } from '../core/clock.js'
import { ownFile } from '../core/own-files.js'
import { VERSION } from '../core/version.js'
import { loadPart } from '../hooks/parts.js'
import type { ThreadMeasures } from '../metrics/measure.js'
import type * as MetricsPart from '../metrics/part.cjs'
import type { WatchedWorker } from '../metrics/runtime-metrics.js'
import { ABOVE, BY_NAME, MEASURES, SURFACES } from '../ring/layout.js'
import type { ProcessRelay } from './process-relay.js'
import type { ThreadRelay } from './thread-relay.js'

/** Lets all threads of the process measure, and tell each value to surfacers, as its environment says. */
export function measureInProcess(relay: ThreadRelay, { measures, surfaces }: TracingConfig, above = 0): void {
  const { control } = relay
  if (measures || surfaces || above !== 0) Atomics.store(control, MEASURES, 1)
  if (surfaces) Atomics.or(control, SURFACES, BY_NAME)
  if ((above & LISTENED) !== 0) Atomics.or(control, SURFACES, ABOVE)
}

const MEASURED = 1
const LISTENED = 2

/** What a descendant is told: see `MEASURES` of `core/variables.ts`; undefined where nothing is measured. */
export function measuredByDescendants({ control }: ThreadRelay): string | undefined {
  if (Atomics.load(control, MEASURES) === 0) return undefined
  return String(MEASURED | (Atomics.load(control, SURFACES) === 0 ? 0 : LISTENED))
}

/** What an ancestor has told. */
export function measuredAbove(text: string | undefined): number {
  return /^[1-3]$/.test(text ?? '') ? Number(text) : 0
}

function loadMetrics(): typeof MetricsPart {
  const file = ownFile('metrics.cjs')
  return loadPart<typeof MetricsPart>(dirname(file), 'metrics.cjs')
}

/** A MeterProvider for this thread, which costs nothing until it is used, and measures where the process does. */
export class LateMeterProvider implements MeterProvider {
  private measures: ThreadMeasures | undefined
  private runtime: ReturnType<typeof MetricsPart.measureRuntime> | undefined
  /** What there is without this one. */
  private readonly none = metrics.getMeterProvider()

  constructor(
    private readonly relay: ThreadRelay,
    private readonly process: ProcessRelay | undefined,
  ) {}

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    if (Atomics.load(this.relay.control, MEASURES) === 0) return this.none.getMeter(name, version, options)
    this.measures ??= this.load()
    return this.measures.provider.getMeter(name, version, options)
  }

  /** Tells of Node and V8 from now on. In the main thread of a process that exports. */
  measureRuntime(): void {
    this.measures ??= this.load()
    this.runtime = loadMetrics().measureRuntime(this.measures.provider, VERSION)
  }

  /** A Worker has been made, whose event loop is told of. */
  addWorker(worker: WatchedWorker, name: string): void {
    this.runtime?.add(worker, name)
  }

  removeWorker(worker: WatchedWorker): void {
    this.runtime?.remove(worker)
  }

  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void {
    this.measures?.observe()
  }

  private load(): ThreadMeasures {
    const measures = loadMetrics().measureHere({
      opened: (block, index) => this.relay.cells(block, index),
      time: () => epochMs(now()),
      control: this.relay.control,
      ring: () => this.relay.ring(),
      scopeOf: (context) => transactionIn(context ?? contextApi.active()),
    })
    const touched = this.process?.touched
    if (touched !== undefined) measures.onTouch(touched)
    return measures
  }
}
