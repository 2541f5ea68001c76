// What following errors by domains costs: transactions with asynchronous work in them, and the same work beside them.
import { setImmediate as immediate } from 'node:timers/promises'
import { serve } from './serve.js'

const { start, withTransaction } = await import(process.env.BENCH_INDEX)
start()

const STEPS = 50

async function work() {
  for (let i = 0; i < STEPS; i++) await null
  await immediate()
}

/** Lasts for as long as the program: what `domain` turns on, it keeps on. */
void withTransaction('lasting', () => new Promise(() => {}))

serve({
  /** Microseconds for each, one after the other. */
  async block({ kind, count }) {
    const one = kind === 'inside' ? () => withTransaction('work', work) : work
    const from = performance.now()
    for (let i = 0; i < count; i++) await one()
    return ((performance.now() - from) * 1e3) / count
  },
})
