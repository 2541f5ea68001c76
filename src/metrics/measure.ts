/** What measures in one thread, put together. */
import type { MeterProvider } from '@opentelemetry/api'
import { guarded } from '../hooks/guarded.js'
import { CellWriter } from './cells.js'
import type { Measured, Measuring } from './instruments.js'
import { ThreadMeterProvider } from './meter.js'
import { Observers } from './observables.js'

export interface MeasureOptions {
  /** Called with each new block of the thread's cells. */
  readonly opened: (block: SharedArrayBuffer, index: number) => void
  /** Now, in milliseconds since the epoch. */
  readonly time: () => number
  /** Words that all threads of the process share, and the one with the number of the last round of observing. */
  readonly control: Int32Array
  readonly roundAt: number
}

/** A thread that measures. */
export interface ThreadMeasures {
  readonly provider: MeterProvider
  /** Asks the callbacks now: the thread is about to do nothing any more. */
  observe(): void
  /** Listens to each value. */
  listen(measured: Measured): void
  /** Calls `touched` after each value. */
  onTouch(touched: () => void): void
}

export function measureHere({ opened, time, control, roundAt }: MeasureOptions): ThreadMeasures {
  const writer = new CellWriter(opened)
  const measuring: Measuring = { writer, time, touched: undefined, measured: undefined }
  const observe = (): void => observers.observe(Atomics.load(control, roundAt))
  /** Hears of the next round as soon as the thread's event loop turns; keeps nothing running. */
  const wait = (seen: number): void => {
    const change = Atomics.waitAsync(control, roundAt, seen)
    const next = (): void => {
      const round = Atomics.load(control, roundAt)
      guarded('observe', observe)
      wait(round)
    }
    if (change.async) void change.value.then(next)
    else setImmediate(next).unref()
  }
  const observers = new Observers(
    () => {
      const round = Atomics.load(control, roundAt)
      writer.observed(round)
      wait(round)
    },
    (round) => writer.observed(round),
  )
  return {
    provider: new ThreadMeterProvider(measuring, observers),
    observe,
    listen(measured) {
      measuring.measured = measured
    },
    onTouch(touched) {
      measuring.touched = touched
    },
  }
}
