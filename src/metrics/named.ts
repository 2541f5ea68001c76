/**
 * Instruments that are made by a name alone, anywhere and at any time: what they measure goes to the MeterProvider that is registered when it is
 * measured, under the meter `threadspan`.
 */
import {
  type Attributes,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  metrics,
} from '@opentelemetry/api'
import { surface } from './own-surfacers.js'
import type { Surfacer } from './surfacer.js'

const METER = 'threadspan'

/** OpenTelemetry's options of an instrument, and who is told of it. */
export interface NamedOptions extends MetricOptions {
  /** Get each of its values, from whichever thread, once `start()` was called in the main thread; what is given in a Worker is not asked. */
  readonly surfacers?: readonly Surfacer[]
}

/** An instrument of whichever provider is registered. */
class Late<Instrument> {
  #provider: MeterProvider | undefined
  #instrument: Instrument | undefined

  constructor(private readonly create: (meter: Meter) => Instrument) {}

  get(): Instrument {
    const provider = metrics.getMeterProvider()
    if (provider !== this.#provider || this.#instrument === undefined) {
      this.#provider = provider
      this.#instrument = this.create(provider.getMeter(METER))
    }
    return this.#instrument
  }
}

/** Adds up. The same name is the same counter, in every thread and child process. */
export class Counter {
  readonly #late

  /** @param name As OpenTelemetry's specification has it: a letter, then at most 254 letters, digits and `_`, `.`, `-`, `/`. */
  constructor(
    readonly name: string,
    { surfacers = [], ...options }: NamedOptions = {},
  ) {
    surface(name, surfacers)
    this.#late = new Late((meter) => meter.createCounter(name, options))
  }

  /** @param value Not negative; 1 where it is left out. */
  add(value = 1, attributes?: Attributes): void {
    this.#late.get().add(value, attributes)
  }
}

/** Keeps the last value. */
export class Gauge {
  readonly #late

  /** @param name As `Counter` has it. */
  constructor(
    readonly name: string,
    { surfacers = [], ...options }: NamedOptions = {},
  ) {
    surface(name, surfacers)
    this.#late = new Late((meter) => meter.createGauge(name, options))
  }

  set(value: number, attributes?: Attributes): void {
    this.#late.get().record(value, attributes)
  }
}

/** Counts values by their size. */
export class Histogram {
  readonly #late

  /**
   * @param name As `Counter` has it.
   * @param options With `advice.explicitBucketBoundaries`, the upper bounds of its buckets.
   */
  constructor(
    readonly name: string,
    { surfacers = [], ...options }: NamedOptions = {},
  ) {
    surface(name, surfacers)
    this.#late = new Late((meter) => meter.createHistogram(name, options))
  }

  /** @param value Not negative. */
  record(value: number, attributes?: Attributes): void {
    this.#late.get().record(value, attributes)
  }
}
