/** A ring between two real threads. */
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { drain, positions, type RingChecks, type RingModules } from './ring-model.js'
import { control, layout, memory } from './support.js'

/** Runs in the second thread: records of all sizes, as fast as the ring takes them. */
const WRITER = `
  const { workerData } = require('node:worker_threads')
  const { ringUrl, support, memory, control, count, seed, most } = workerData
  Promise.all([import(ringUrl), import(support)]).then(([{ Ring }, { writeRecord }]) => {
    const ring = new Ring(memory, control, () => {})
    ring.selectScope(ring.defineScope(Buffer.from('s'), ''))
    let state = seed
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      if (!writeRecord(ring, i, 8 + (state >>> 8) % ((state & 7) === 0 ? most : 300))) throw new Error('no room')
    }
  })`

/** Two threads, records of any sizes. @throws When one is lost, torn or out of order. */
export async function checkThreads(
  modules: RingModules,
  count: number,
  checks: RingChecks = {},
): Promise<void> {
  const sizes = fc.integer({ min: 300, max: 12_000 })
  await fc.assert(
    fc.asyncProperty(positions, fc.nat(), sizes, async (position, seed, most) => {
      const shared = memory(65536, 16)
      const words = new Int32Array(shared.buffer)
      for (const word of [layout.HEAD, layout.TAIL, layout.ORIGIN]) words[word] = (4 * position) | 0
      const support = new URL('support.js', import.meta.url).href
      const workerData = {
        ringUrl: modules.ringUrl,
        support,
        memory: shared,
        control: control(),
        count,
        seed,
        most,
      }
      const reader = new modules.RingReader(shared)
      const writer = new Worker(WRITER, { eval: true, workerData })
      let failure: unknown
      let isRunning = true
      writer.on('error', (error) => {
        failure = error
      })
      writer.on('exit', () => {
        isRunning = false
      })
      try {
        let next = 0
        while (isRunning || reader.waiting > 0) {
          for (const [, number] of drain(reader)) assert.equal(number, next++)
          await new Promise((resolve) => setImmediate(resolve))
        }
        assert.ifError(failure)
        assert.equal(next, count)
        assert.deepEqual(reader.takeLosses(), [])
        assert.equal(reader.corruptions, 0)
      } finally {
        await writer.terminate()
      }
    }),
    { numRuns: 5, ...checks },
  )
}
