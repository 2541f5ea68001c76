/** What measures in this thread: loaded with the first meter that is asked for, or with what is measured of itself. */
import { context as contextApi, type Meter, type MeterOptions, type MeterProvider } from '@opentelemetry/api'
import type { Environment } from '../config/variables.js'
import { spanOf } from '../context/context.js'
import { transactionIn } from '../context/transaction.js'
import { API_KEY } from '../core/api-key.js'
import { epochMs, now } from '../core/clock.js'
import { VERSION } from '../core/version.js'
import type { ThreadMeasuring } from '../metrics/thread.js'
import type { Recorder } from '../recorder/recorder.js'
import { loadMetrics } from './load-metrics.js'
import type { ProcessRelay } from './process-relay.js'
import type { ThreadRelay } from './thread-relay.js'

/** A MeterProvider for this thread, which costs nothing until it is used. */
export class LateMeterProvider implements MeterProvider {
  loaded: ThreadMeasuring | undefined

  constructor(
    private readonly relay: ThreadRelay,
    private readonly process: ProcessRelay | undefined,
    private readonly env: Environment,
  ) {}

  /** Gives it to OpenTelemetry's API, where nobody has given it another. */
  register(): void {
    const registry = (globalThis as { [API_KEY]?: Record<string, unknown> })[API_KEY]
    if (registry !== undefined) registry['metrics'] ??= this
  }

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    return this.load().provider.getMeter(name, version, options)
  }

  /** Has the spans of this thread measured from now on: in a Worker, what measures them is loaded with the first. */
  measureSpans(recorder: Recorder): void {
    if (recorder.measures !== undefined) return
    recorder.measures = {
      ended: (span, duration) => this.load().ended(span, duration),
      unsampled: (context, kind, attributes) => this.load().unsampled(context, kind, attributes),
    }
    if (this.env['THREADSPAN_TRANSACTION_METRICS'] !== undefined) recorder.probes = this.load().probes()
  }

  load(): ThreadMeasuring {
    const { process: own, relay, env } = this
    this.loaded ??= new (loadMetrics().ThreadMeasuring)({
      control: relay.control,
      opened: (block, index) => relay.cells(block, index),
      ring: () => relay.ring(),
      touched: own?.touched,
      env,
      version: VERSION,
      time: () => epochMs(now()),
      active: () => contextApi.active(),
      spanOf,
      transactionIn,
    })
    return this.loaded
  }
}
