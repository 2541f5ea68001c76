import { BEGUN, DISMISSED, HELD, NOT_YET, WORK } from '../ring/layout.js'

/** Whether the process's end has not come before the telemetry thread; waits where that is about to be seen. */
export function isWanted(control: Int32Array): boolean {
  for (;;) {
    const work = Atomics.load(control, WORK)
    if (work !== HELD) return work !== DISMISSED
    Atomics.wait(control, WORK, HELD)
  }
}

/**
 * Waits for a process that is about to end and tries to deliver without a collector.
 * @returns Whether there is work for the collector: not where the process's end has come before it.
 */
export function begin(control: Int32Array): boolean {
  for (;;) {
    const work = Atomics.compareExchange(control, WORK, NOT_YET, BEGUN)
    if (work !== HELD) return work !== DISMISSED
    Atomics.wait(control, WORK, HELD)
  }
}
