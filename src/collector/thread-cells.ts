/** What the threads of this process measure in, as the collector sees it. */
import { CellReader, type CellSource } from '../metrics/cells.js'
import type { MergedSource } from '../metrics/merged.js'
import { OBSERVE } from '../ring/layout.js'

/** Milliseconds that threads have for what they are asked: one that is blocked has said what it last said. */
const PATIENCE = 200
/** Milliseconds between two looks at whether they have answered. */
const LOOK = 5
/** Rounds are told in a word, and compared with what stands in cells. */
const MOST_ROUNDS = 2 ** 31 - 1

/** Where a thread's cells are merged, or handed on. */
export type Measure = (thread: number, source: CellSource) => MergedSource

interface Entry {
  readonly reader: CellReader
  readonly source: MergedSource
}

export class ThreadCells {
  private readonly threads = new Map<number, Entry>()

  constructor(private readonly control: Int32Array) {}

  /** One more block of a thread's. The same one can come twice. */
  add(thread: number, index: number, block: SharedArrayBuffer, measure: Measure): void {
    let entry = this.threads.get(thread)
    if (entry === undefined) {
      const reader = new CellReader()
      entry = { reader, source: measure(thread, reader) }
      this.threads.set(thread, entry)
    }
    entry.reader.add(block, index)
  }

  /** The thread is gone. */
  end(thread: number): void {
    this.threads.get(thread)?.source.end()
    this.threads.delete(thread)
  }

  /** Has all threads ask their callbacks, and waits until they have or time is up. */
  async observe(): Promise<void> {
    const round = (Atomics.load(this.control, OBSERVE) % MOST_ROUNDS) + 1
    Atomics.store(this.control, OBSERVE, round)
    Atomics.notify(this.control, OBSERVE)
    const until = performance.now() + PATIENCE
    const isBehind = (): boolean => [...this.threads.values()].some(({ reader }) => reader.isBehind(round))
    while (isBehind() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK))
  }
}
