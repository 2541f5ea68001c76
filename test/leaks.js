// Makes and drops things in great numbers and looks whether the heap stays flat. Usage:
//   node --expose-gc test/leaks.js [--cycles 1000000] [--only part of a name]; the package has to be built.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { setImmediate as immediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Piscina } from 'piscina'
import {
  bind,
  capture,
  currentSignal,
  propagate,
  start,
  tracePool,
  withDeadline,
  withSignal,
  withTransaction,
} from 'threadspan'

const { values } = parseArgs({ options: { cycles: { type: 'string' }, only: { type: 'string' } } })
const CYCLES = Number(values.cycles ?? 1_000_000)

/** Bytes by which the heap may grow in each round: what the engine itself keeps. */
const SLACK = 512 * 1024

if (globalThis.gc === undefined) {
  console.error('Run it with --expose-gc')
  process.exit(2)
}

process.env.OTEL_TRACES_EXPORTER = 'none'
start()
const request = new AsyncLocalStorage()
propagate(request, { name: 'request' })

const longLived = () => {}
const emitter = new EventEmitter()
const shutdown = new AbortController().signal

/** What is done in one cycle, and how much rarer it is than the cheapest. */
const CASES = {
  'capture, wrap, run': [1, (i) => request.run(i, () => capture().wrap(longLived)())],
  'bind one function in many contexts': [1, (i) => request.run(i, () => bind(longLived)())],
  'bind many functions': [1, (i) => request.run(i, () => bind(() => i)())],
  'bind and drop emitters': [
    20,
    (i) => request.run(i, () => bind(new EventEmitter()).once('e', longLived).emit('e')),
  ],
  'bind and drop abort signals': [
    50,
    (i) =>
      request.run(i, () => {
        const controller = new AbortController()
        bind(controller.signal).addEventListener('abort', () => i)
        controller.abort()
      }),
  ],
  'bind one emitter again and again': [
    20,
    (i) =>
      request.run(i, () => {
        const listener = () => i
        bind(emitter).on('e', listener)
        emitter.emit('e')
        emitter.off('e', listener)
      }),
  ],
  'bind async iterators': [
    50,
    (i) =>
      request.run(i, async () => {
        async function* one() {
          yield i
        }
        for await (const value of bind(one())) assert.equal(value, i)
      }),
  ],
  'deadlines that nobody looks at': [1, (i) => withDeadline(60_000, () => i)],
  'deadlines that somebody looks at': [20, () => withDeadline(60_000, () => currentSignal().aborted)],
  'deadlines under a signal that lives on': [
    20,
    () => withSignal(shutdown, () => withDeadline(60_000, () => currentSignal().aborted)),
  ],
  'listeners that come and go': [
    20,
    () =>
      withSignal(shutdown, () =>
        withDeadline(60_000, () => {
          const signal = currentSignal()
          signal.addEventListener('abort', longLived)
          signal.removeEventListener('abort', longLived)
        }),
      ),
  ],
  transactions: [10, (i) => withTransaction('t', async () => i)],
  'transactions followed by domains': [
    100,
    (i) => withTransaction({ name: 't', errors: 'domain' }, async () => immediate(i)),
  ],
  'trace and drop pools': [
    20_000,
    async () => {
      const pool = tracePool(
        new Piscina({
          filename: new URL('fixtures/toolkit/log-worker.mjs', import.meta.url).href,
          maxThreads: 1,
        }),
      )
      await withTransaction('pooled', () => pool.run(null))
      await pool.destroy()
    },
  ],
}

async function heap() {
  for (let i = 0; i < 5; i++) {
    await immediate()
    globalThis.gc()
  }
  return process.memoryUsage().heapUsed
}

async function repeat(cycle, times) {
  for (let i = 0; i < times; i++) {
    const result = cycle(i)
    if (result instanceof Promise) await result
    // Weak references and finalizers are only seen to between turns of the event loop.
    else if (i % 10_000 === 0) await immediate()
  }
}

let failures = 0
for (const [name, [cost, cycle]] of Object.entries(CASES)) {
  if (values.only !== undefined && !name.includes(values.only)) continue
  const times = Math.max(4, Math.ceil(CYCLES / cost))
  // The first round compiles, and fills tables that keep their size; a leak grows in each of the others.
  await repeat(cycle, times)
  const grown = []
  let before = await heap()
  for (let round = 0; round < 2; round++) {
    await repeat(cycle, times)
    const after = await heap()
    grown.push(after - before)
    before = after
  }
  const least = Math.min(...grown)
  const ok = least < SLACK
  if (!ok) failures++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${times} cycles, ${(least / 1024).toFixed(0)} KB`)
}
process.exitCode = failures === 0 ? 0 : 1
