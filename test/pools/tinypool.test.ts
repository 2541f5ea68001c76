/** Tinypool's pools, traced one by one, in threads and in child processes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { SpanKind } from '@opentelemetry/api'
import { Tinypool } from 'tinypool'
import { tracePool, untracePool } from '#dist/pools/trace-pool.js'
import {
  type ContractPool,
  type ContractSubject,
  finishedSpans,
  inRequest,
  poolContract,
} from '../contract/pools.js'
import { execArgv, fixture, host } from './support.js'

type Options = ConstructorParameters<typeof Tinypool>[0]

const options = (threads: number, more: Options = {}): Options => ({
  filename: fixture('tasks.cjs'),
  execArgv: [...execArgv],
  minThreads: threads,
  maxThreads: threads,
  ...more,
})

function create(threads: number, concurrentTasksPerWorker: number, isTraced: boolean): ContractPool {
  // As with Piscina: a worker that waits in `Atomics.wait` takes no second task.
  const useAtomics = concurrentTasksPerWorker === 1
  const pool = new Tinypool(options(threads, { concurrentTasksPerWorker, useAtomics }))
  if (isTraced) tracePool(pool, host)
  const running = new Set<Promise<unknown>>()
  return {
    run(handler, input, more) {
      const promise = pool.run(input, { name: handler, ...more })
      running.add(promise)
      return promise
    },
    // It has no `close`.
    async close() {
      await Promise.allSettled(running)
      await pool.destroy()
    },
    destroy: () => pool.destroy(),
  }
}

const subject: ContractSubject = {
  name: 'tracePool(tinypool)',
  knowsOrigin: false,
  losesExits: true,
  create: ({ threads, concurrency = 1 }) => create(threads, concurrency, true),
  createBare: () => create(1, 1, false),
}

poolContract(subject)

async function withPool(more: Options, fn: (pool: Tinypool) => Promise<void>): Promise<void> {
  const pool = tracePool(new Tinypool(options(1, more)), host)
  try {
    await fn(pool)
  } finally {
    await pool.destroy()
  }
}

test('a Tinypool keeps its promises: move(), URLs, ES modules, other files', () =>
  withPool({ name: 'echo' }, async (pool) => {
    const buffer = new ArrayBuffer(8)
    await inRequest(async () => {
      assert.equal(await pool.run(Tinypool.move(buffer) as never, { name: 'byteLength' }), 8)
      assert.equal(buffer.byteLength, 0)
      assert.deepEqual(await pool.run({ a: 1 }), { a: 1 })
      const filename = pathToFileURL(fixture('named.mjs')) as never
      const bare = new Tinypool(options(1))
      for (const name of ['default', 'urgent'])
        assert.deepEqual(
          await pool.run(5, { filename, name }).catch(String),
          await bare.run(5, { filename, name }).catch(String),
        )
      assert.equal(
        await pool.run(5, { name: 'nothing' }).catch(String),
        await bare.run(5, { name: 'nothing' }).catch(String),
      )
      await bare.destroy()
    })
  }))

test('untracePool gives a Tinypool back as it was', () =>
  withPool({ name: 'where' }, async (pool) => {
    assert.equal(Object.hasOwn(pool, 'run'), true)
    assert.equal(untracePool(pool), pool)
    assert.equal(Object.hasOwn(pool, 'run'), false)
  }))

test('a Tinypool of child processes: one trace, and errors as they are', () =>
  withPool(
    { runtime: 'child_process', name: 'where', env: process.env as Record<string, string> },
    async (pool) => {
      await inRequest(async (_, traceId) => {
        assert.equal((await pool.run(1)).traceId, traceId)
        await assert.rejects(
          pool.run('no luck', { name: 'throws' }),
          (error: Error) => !('threadspan.told' in error),
        )
        const spans = finishedSpans(traceId)
        assert.deepEqual(
          spans.filter(({ name }) => /where/.test(name)).map(({ name, kind }) => [name, kind]),
          [
            ['run tasks.where', SpanKind.INTERNAL],
            ['task tasks.where', SpanKind.INTERNAL],
          ],
        )
      })
    },
  ))

test('tasks of a Tinypool that is cancelled are no failures of a handler', () =>
  withPool({ name: 'echo' }, async (pool) => {
    await inRequest(async (_, traceId) => {
      const runs = [pool.run(1), pool.run(2)]
      pool.cancelPendingTasks()
      const outcomes = await Promise.allSettled(runs)
      assert.ok(outcomes.some(({ status }) => status === 'rejected'))
      assert.ok(finishedSpans(traceId).every(({ events }) => events.length === 0))
    })
  }))
