// What it costs to keep what is current for a function, and to call the function in it later.
import { AsyncLocalStorage } from 'node:async_hooks'
import { trace } from '@opentelemetry/api'
import { serve } from './serve.js'

const { capture } = process.argv[2] === 'threadspan' ? await import(process.env.BENCH_INDEX) : {}
/** A storage of the application's own, with a value. */
const storage = new AsyncLocalStorage()
const tracer = trace.getTracer('bench')
const add = (a, b) => a + b

/** Sums keep the optimizing compiler from leaving the work out. */
let sum = 0

const blocks = {
  'threadspan both'(count) {
    for (let i = 0; i < count; i++) sum += capture().wrap(add)(i, 1)
  },
  'node both'(count) {
    for (let i = 0; i < count; i++) sum += AsyncLocalStorage.snapshot()(add, i, 1)
  },
  'threadspan made'(count) {
    for (let i = 0; i < count; i++) sum += capture().wrap(add).length
  },
  'node made'(count) {
    for (let i = 0; i < count; i++) sum += AsyncLocalStorage.snapshot().length
  },
  'threadspan called'(count) {
    const wrapped = capture().wrap(add)
    for (let i = 0; i < count; i++) sum += wrapped(i, 1)
  },
  'node called'(count) {
    const snapshot = AsyncLocalStorage.snapshot()
    for (let i = 0; i < count; i++) sum += snapshot(add, i, 1)
  },
}

serve({
  /** Microseconds for each, inside a span and with the storage's value. */
  block({ kind, count }) {
    return tracer.startActiveSpan('block', (span) => {
      const start = performance.now()
      storage.run('value', blocks[kind], count)
      const time = performance.now() - start
      span.end()
      return Number.isNaN(sum) ? Number.NaN : (time * 1e3) / count
    })
  },
})
