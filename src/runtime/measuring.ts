/** What measures in this thread: loaded with the first meter that is asked for. */
import { dirname } from 'node:path'
import type { Meter, MeterOptions, MeterProvider } from '@opentelemetry/api'
import { epochMs, now } from '../core/clock.js'
import { ownFile } from '../core/own-files.js'
import { loadPart } from '../hooks/parts.js'
import type { ThreadMeasures } from '../metrics/measure.js'
import type * as MetricsPart from '../metrics/part.cjs'
import { MEASURES, OBSERVE } from '../ring/layout.js'
import type { ProcessRelay } from './process-relay.js'
import type { ThreadRelay } from './thread-relay.js'

/** Lets the process's Workers measure as well. */
export function measureInProcess(relay: ThreadRelay): void {
  Atomics.store(relay.control, MEASURES, 1)
}

export function isMeasuring(relay: ThreadRelay): boolean {
  return Atomics.load(relay.control, MEASURES) !== 0
}

/** A MeterProvider for this thread, which costs nothing until it is used. */
export class LateMeterProvider implements MeterProvider {
  private measures: ThreadMeasures | undefined

  constructor(
    private readonly relay: ThreadRelay,
    private readonly process: ProcessRelay | undefined,
  ) {}

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    this.measures ??= this.load()
    return this.measures.provider.getMeter(name, version, options)
  }

  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void {
    this.measures?.observe()
  }

  private load(): ThreadMeasures {
    const file = ownFile('metrics.cjs')
    const { measureHere } = loadPart<typeof MetricsPart>(dirname(file), 'metrics.cjs')
    const measures = measureHere({
      opened: (block, index) => this.relay.cells(block, index),
      time: () => epochMs(now()),
      control: this.relay.control,
      roundAt: OBSERVE,
    })
    const touched = this.process?.touched
    if (touched !== undefined) measures.onTouch(touched)
    return measures
  }
}
