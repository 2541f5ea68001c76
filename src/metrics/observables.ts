/** Instruments whose values are asked for: callbacks that run in their own thread, before an export. */
import type {
  Attributes,
  BatchObservableCallback,
  BatchObservableResult,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { OBSERVED_AT, OBSERVED_IN, VALUE } from './descriptor.js'
import { Instrument } from './instruments.js'

/** Callbacks of one thread at most. */
const MOST_CALLBACKS = 10_000

export class ObservableInstrument extends Instrument implements Observable {
  observers: Observers | undefined

  addCallback(callback: ObservableCallback): void {
    this.observers?.add(this, callback)
  }

  removeCallback(callback: ObservableCallback): void {
    this.observers?.remove(this, callback)
  }

  /** A value of the round that is under way. */
  observe(value: number, attributes: Attributes | undefined, round: number): void {
    if (typeof value !== 'number' || value - value !== 0) {
      count('metric.value')
      return
    }
    const { cells, at } = this.table.find(attributes)
    cells[at + VALUE] = this.isInt ? Math.trunc(value) : value
    cells[at + OBSERVED_AT] = this.measuring.time()
    cells[at + OBSERVED_IN] = round
  }
}

type Entry =
  | { readonly instrument: ObservableInstrument; readonly callback: ObservableCallback }
  | { readonly instruments: ReadonlySet<Observable>; readonly callback: BatchObservableCallback }

/** Of an application's list, which may hold proxies that do not say what they are. */
function isObservable(one: unknown): one is ObservableInstrument {
  try {
    return one instanceof ObservableInstrument
  } catch {
    return false
  }
}

/** The callbacks of one thread. */
export class Observers {
  private readonly entries: Entry[] = []
  private round = 0

  /**
   * @param began Called with the first callback.
   * @param completed Called when all callbacks of a round have answered.
   */
  constructor(
    private readonly began: () => void,
    private readonly completed: (round: number) => void,
  ) {}

  add(instrument: ObservableInstrument, callback: ObservableCallback): void {
    const isKnown = this.entries.some(
      (entry) => 'instrument' in entry && entry.instrument === instrument && entry.callback === callback,
    )
    if (!isKnown) this.push({ instrument, callback })
  }

  addBatch(callback: BatchObservableCallback, observables: readonly Observable[]): void {
    const instruments = new Set(observables.filter(isObservable))
    if (instruments.size > 0 && this.find(callback, instruments) < 0) this.push({ instruments, callback })
  }

  private push(entry: Entry): void {
    if (typeof entry.callback !== 'function' || this.entries.length >= MOST_CALLBACKS) {
      count('metric.callback')
      return
    }
    this.entries.push(entry)
    if (this.entries.length === 1) this.began()
  }

  remove(instrument: ObservableInstrument, callback: ObservableCallback): void {
    this.drop(
      this.entries.findIndex(
        (entry) => 'instrument' in entry && entry.instrument === instrument && entry.callback === callback,
      ),
    )
  }

  removeBatch(callback: BatchObservableCallback, observables: readonly Observable[]): void {
    this.drop(this.find(callback, new Set(observables)))
  }

  private find(callback: BatchObservableCallback, observables: ReadonlySet<Observable>): number {
    return this.entries.findIndex(
      (entry) =>
        'instruments' in entry &&
        entry.callback === callback &&
        entry.instruments.size === observables.size &&
        [...observables].every((one) => entry.instruments.has(one)),
    )
  }

  private drop(index: number): void {
    if (index >= 0) this.entries.splice(index, 1)
  }

  /**
   * Asks all of them. A callback that throws or rejects is counted, and has said what it said before.
   * @param round Its number; what is observed in it, and no other, is what the thread has to say until the next one.
   */
  observe(round: number): void {
    if (this.entries.length === 0 && this.round === 0) return
    this.round = round
    const pending: Promise<unknown>[] = []
    for (const entry of [...this.entries]) {
      try {
        const answer = ask(entry, round)
        if (typeof answer?.then === 'function') pending.push(Promise.resolve(answer).catch(failed))
      } catch {
        failed()
      }
    }
    if (pending.length === 0) this.completed(round)
    else void Promise.all(pending).then(() => this.round === round && this.completed(round))
  }
}

function failed(): void {
  count('metric.callback')
}

function ask(entry: Entry, round: number): Promise<void> | void {
  if ('instrument' in entry) {
    const { instrument } = entry
    const result: ObservableResult = {
      observe: (value, attributes) => instrument.observe(value, attributes, round),
    }
    return entry.callback(result)
  }
  const result: BatchObservableResult = {
    observe(metric, value, attributes) {
      if (entry.instruments.has(metric)) (metric as ObservableInstrument).observe(value, attributes, round)
      else count('metric.value')
    },
  }
  return entry.callback(result)
}
