/** What measures in one thread, put together. */
import type { Context, MeterProvider } from '@opentelemetry/api'
import { guarded } from '../hooks/guarded.js'
import { OBSERVE, UNSURFACED } from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'
import { CellWriter } from './cells.js'
import type { ExemplarOf, Measured, Measuring } from './instruments.js'
import { type TransactionScope, writeMeasurement } from './measurement.js'
import { ThreadMeterProvider } from './meter.js'
import { Observers } from './observables.js'

export interface MeasureOptions {
  /** Called with each new block of the thread's cells. */
  readonly opened: (block: SharedArrayBuffer, index: number) => void
  /** Called after each value; only where it would not survive this process otherwise. */
  readonly touched?: (() => void) | undefined
  /** Now, in milliseconds since the epoch. */
  readonly time: () => number
  /** Words that all threads of the process share. */
  readonly control: Int32Array
  /** This thread's ring, for values that somebody listens to. */
  readonly ring: () => Ring | undefined
  /** The transaction of a context, of the active one where none is given. */
  readonly scopeOf: (context: Context | undefined) => TransactionScope | undefined
  /** The span that a value is an example for; left out where no exemplars are wanted. */
  readonly exemplarOf?: ExemplarOf | undefined
  /** Whether histograms have buckets of exponential size. */
  readonly isExponential?: boolean
}

/** A thread that measures. */
export interface ThreadMeasures {
  readonly provider: MeterProvider
  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void
}

export function measureHere({
  opened,
  touched,
  time,
  control,
  ring,
  scopeOf,
  exemplarOf,
  isExponential = false,
}: MeasureOptions): ThreadMeasures {
  const writer = new CellWriter(opened)
  const measured: Measured = (instrument, value, attributes, context) => {
    const to = ring()
    const isWritten =
      to !== undefined && writeMeasurement(to, instrument, value, time(), attributes, scopeOf(context))
    if (!isWritten) Atomics.add(control, UNSURFACED, 1)
  }
  const measuring: Measuring = { writer, time, touched, measured, control, exemplarOf }
  const observe = (): void => observers.observe(Atomics.load(control, OBSERVE))
  /** Hears of the next round as soon as the thread's event loop turns; keeps nothing running. */
  const wait = (seen: number): void => {
    const change = Atomics.waitAsync(control, OBSERVE, seen)
    const next = (): void => {
      const round = Atomics.load(control, OBSERVE)
      guarded('observe', observe)
      wait(round)
    }
    if (change.async) void change.value.then(next)
    else setImmediate(next).unref()
  }
  const observers = new Observers(
    () => {
      const round = Atomics.load(control, OBSERVE)
      writer.observed(round)
      wait(round)
    },
    (round) => writer.observed(round),
  )
  return {
    provider: new ThreadMeterProvider(measuring, observers, isExponential),
    observe,
  }
}
