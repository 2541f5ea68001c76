/** Pools that are traced one by one, without the preload: public interfaces only. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { traceTask } from '#dist/pools/envelope.js'
import { tracePool, untracePool } from '#dist/pools/trace-pool.js'
import { finishedSpans, inRequest, poolContract } from '../contract/pools.js'
import { execArgv, fixture, host, options, piscinaSubject } from './support.js'

poolContract(piscinaSubject('tracePool(piscina)', Piscina, false, (pool) => tracePool(pool, host)))

async function withPool<T>(more: object, fn: (pool: Piscina) => Promise<T>): Promise<T> {
  const pool = new Piscina(options(1, more))
  try {
    return await fn(tracePool(pool, host))
  } finally {
    await pool.destroy()
  }
}

test('tracePool is idempotent, and untracePool puts back what was there', async () => {
  const pool = new Piscina(options(1, { name: 'where' }))
  try {
    assert.equal(tracePool(pool, host), pool)
    const { run } = pool
    assert.equal(tracePool(pool, host).run, run)
    assert.deepEqual([run.name, run.length], ['run', Piscina.prototype.run.length])
    assert.equal(Object.keys(pool).includes('run'), false)
    await inRequest(async (_, traceId) => {
      assert.equal((await pool.run(1)).traceId, traceId)
      assert.equal(finishedSpans(traceId).length, 2)
    })
    assert.equal(untracePool(pool), pool)
    assert.equal(Object.hasOwn(pool, 'run'), false)
    assert.equal(untracePool(pool), pool)
    await inRequest(async () => assert.equal((await pool.run(1)).traceId, undefined))
    const own = () => Promise.resolve('own')
    pool.run = own
    untracePool(tracePool(pool, host))
    assert.equal(pool.run, own)
    tracePool(pool, host)
    const later = () => Promise.resolve('later')
    pool.run = later
    untracePool(pool)
    assert.equal(pool.run, later)
  } finally {
    await pool.destroy()
  }
})

test('what is no pool is refused by a code', () => {
  for (const value of [{}, null, undefined, 5, () => {}]) {
    assert.throws(() => tracePool(value as object, host), { code: 'THREADSPAN_POOL_UNKNOWN' })
  }
})

test('what run() refuses it refuses as before', async () => {
  const bare = new Piscina(options(1))
  const calls = [[7], [{ transferList: 7 }], [{ filename: 7 }], [{ name: 7 }], [{ signal: 7 }], [null]]
  try {
    await withPool({}, async (pool) => {
      for (const rest of calls as [object][]) {
        const expected = await bare.run(1, ...rest).catch(({ name, message }) => [name, message])
        assert.deepEqual(
          await inRequest(() => pool.run(1, ...rest).catch(({ name, message }) => [name, message])),
          expected,
        )
      }
      const nowhere = { filename: 'file://elsewhere/task.js' }
      const { message } = (() => {
        try {
          bare.run(1, nowhere)
        } catch (error) {
          return error as Error
        }
        return assert.fail('did not throw')
      })()
      await inRequest(async () => assert.throws(() => pool.run(1, nowhere), { message }))
    })
  } finally {
    await bare.destroy()
  }
})

test('subclasses of Piscina are pools', async () => {
  class Mine extends Piscina {}
  const pool = tracePool(new Mine(options(1, { name: 'where' })), host)
  try {
    await inRequest(async (_, traceId) => assert.equal((await pool.run(1)).traceId, traceId))
  } finally {
    await pool.destroy()
  }
})

test('a worker that knows nothing of tracing gets its plain task', async () => {
  await withPool({ execArgv: [] }, (pool) =>
    inRequest(async () => {
      assert.deepEqual(await pool.run({ a: [1] }, { name: 'echo' }), { a: [1] })
      assert.deepEqual(await pool.run({ a: [1] }, { filename: fixture('function.cjs'), name: 'default' }), {
        function: { a: [1] },
      })
    }),
  )
})

test('a handler in traceTask() takes tasks of traced and of untraced pools', async () => {
  await withPool({ filename: fixture('traced-task.mjs'), name: 'default' }, async (pool) => {
    await inRequest(async (_, traceId) => {
      assert.deepEqual(await pool.run({ n: 1 }), { input: { n: 1 }, traceId })
      assert.equal(finishedSpans(traceId).length, 2)
      untracePool(pool)
      assert.deepEqual(await pool.run({ n: 2 }), { input: { n: 2 }, traceId: undefined })
    })
  })
})

test('traceTask() keeps name, length, receiver, arguments and results', () => {
  const holder = {
    factor: 2,
    times: traceTask(function times(this: { factor: number }, n: number, m: number) {
      return this.factor * n * m
    }),
  }
  assert.deepEqual([holder.times.name, holder.times.length, holder.times(3, 4)], ['times', 2, 24])
  assert.equal(traceTask((task: unknown) => task)(null), null)
})

test('a custom queue reads the task through the envelope', async () => {
  const tasks: { task: { priority: number } }[] = []
  const seen: number[] = []
  const taskQueue = {
    get size() {
      return tasks.length
    },
    push: (task: (typeof tasks)[number]) => {
      seen.push(task.task.priority)
      tasks.push(task)
    },
    shift: () => tasks.shift() ?? null,
    remove: () => {},
  }
  await withPool({ taskQueue, name: 'echo' }, (pool) =>
    inRequest(async () => {
      const inputs = [1, 2, 3].map((priority) => ({ priority }))
      assert.deepEqual(await Promise.all(inputs.map((input) => pool.run(input))), inputs)
    }),
  )
  assert.ok(seen.length > 0 && seen.every((priority) => priority >= 1))
})

test('queue options are read through the envelope', async () => {
  const seen: unknown[] = []
  const loadBalancer = (task: Record<symbol, unknown>, workers: object[]) => {
    seen.push(task[Piscina.queueOptionsSymbol])
    return workers[0] ?? null
  }
  await withPool({ loadBalancer, name: 'echo' }, (pool) =>
    inRequest(async () => {
      const input = { n: 1, [Piscina.queueOptionsSymbol]: { priority: 9 } }
      assert.deepEqual(await pool.run(input), { n: 1 })
    }),
  )
  assert.deepEqual(seen[0], { priority: 9 })
})

test('move, file URLs and ES modules', async () => {
  const buffer = new ArrayBuffer(8)
  await withPool({}, (pool) =>
    inRequest(async (_, traceId) => {
      assert.equal(await pool.run(Piscina.move(buffer), { name: 'byteLength' }), 8)
      const filename = pathToFileURL(fixture('task.mjs')).href
      assert.deepEqual(await pool.run(1, { filename, name: 'default' }), { esm: 1, traceId })
    }),
  )
  assert.equal(buffer.byteLength, 0)
  assert.ok(execArgv.length > 0)
})
