/** Piscina under `followPools`, which is what the preload does. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Piscina as PiscinaPool } from 'piscina'
import { followPools } from '#dist/pools/follow.js'
import { tracePool, untracePool } from '#dist/pools/trace-pool.js'
import { finishedSpans, inRequest, poolContract } from '../contract/pools.js'
import { copyOfPiscina, fixture, folder, host, options, piscinaSubject, require } from './support.js'

followPools(host)
followPools(host)
const { Piscina } = await import('piscina')

poolContract(piscinaSubject('piscina', Piscina, true, (pool) => pool))

async function withPool<T>(more: object, fn: (pool: PiscinaPool) => Promise<T>): Promise<T> {
  const pool = new Piscina(options(1, more))
  try {
    return await fn(pool)
  } finally {
    await pool.destroy()
  }
}

test('handlers of every kind are found as Piscina finds them', async () => {
  const esm = fixture('task.mjs')
  await withPool({}, (pool) =>
    inRequest(async (_, traceId) => {
      const run = (input: number, filename: string, name = 'default') => pool.run(input, { filename, name })
      assert.deepEqual(await run(1, fixture('tasks.cjs'), 'plain'), { plain: 1, traceId })
      assert.deepEqual(await run(2, esm), { esm: 2, traceId })
      assert.deepEqual(await run(3, esm, 'named'), { named: 3, traceId })
      assert.deepEqual(await run(4, pathToFileURL(esm).href), { esm: 4, traceId })
      assert.deepEqual(await run(5, fixture('function.cjs')), { function: 5 })
      assert.deepEqual(await run(6, fixture('function.cjs'), 'property'), { property: 6 })
      assert.deepEqual(await run(7, fixture('transpiled.cjs')), { transpiled: 7 })
      assert.deepEqual(await run(8, fixture('transpiled.cjs'), 'named'), { transpiledNamed: 8 })
      const names = finishedSpans(traceId).map(({ name }) => name)
      assert.ok(names.includes('run task.named') && names.includes('task tasks.plain'))
    }),
  )
})

test('a handler that cannot be had gives the same error with a context and without', async () => {
  for (const run of [
    { name: 'missing' },
    { filename: fixture('nowhere.cjs') },
    { filename: fixture('task.mjs'), name: 'missing' },
    { filename: 'threadspan-has-no-such-package' },
    { filename: 7 },
    { transferList: 7 },
    { signal: 7 },
    7,
  ]) {
    await withPool({}, async (pool) => {
      const failure = () =>
        pool.run(1, run as object).then(
          () => assert.fail('did not fail'),
          ({ name, message }) => ({ name, message }),
        )
      const bare = await failure()
      const traced = await inRequest(failure)
      assert.deepEqual(traced, bare)
      assert.deepEqual(await inRequest(failure), bare)
    })
  }
})

test('move() is kept', async () => {
  const buffer = new ArrayBuffer(16)
  const view = new Uint8Array(16)
  await withPool({ name: 'byteLength' }, (pool) =>
    inRequest(async () => {
      assert.equal(await pool.run(Piscina.move(buffer)), 16)
      assert.equal(await pool.run(Piscina.move(view)), 16)
    }),
  )
  assert.equal(buffer.byteLength, 0)
  assert.equal(view.byteLength, 0)
})

test('queues and load balancers see tasks as they are', async () => {
  const seen: unknown[] = []
  const tasks: { task: unknown; filename: unknown; name: unknown }[] = []
  const taskQueue = {
    get size() {
      return tasks.length
    },
    push: (task: (typeof tasks)[number]) => {
      seen.push(['queue', task.task, task.filename, task.name, task.constructor.name])
      tasks.push(task)
    },
    shift: () => tasks.shift() ?? null,
    remove: () => {},
  }
  const loadBalancer = (task: { filename: string; name: string }, workers: { currentUsage: number }[]) => {
    seen.push(['balancer', task.filename, task.name])
    return workers.find(({ currentUsage }) => currentUsage === 0) ?? null
  }
  const filename = fixture('tasks.cjs')
  await withPool({ taskQueue, loadBalancer, name: 'echo' }, (pool) =>
    inRequest(() => Promise.all([pool.run({ n: 1 }), pool.run({ n: 2 }), pool.run({ n: 3 })])),
  )
  const queued = seen.filter((entry) => (entry as string[])[0] === 'queue')
  assert.ok(queued.length > 0)
  for (const entry of queued) {
    const [, task, ...rest] = entry as unknown[]
    assert.ok(typeof (task as { n: number }).n === 'number')
    assert.deepEqual(rest, [filename, 'echo', 'TaskInfo'])
  }
  for (const entry of seen.filter((each) => (each as string[])[0] === 'balancer')) {
    assert.deepEqual(entry, ['balancer', filename, 'echo'])
  }
})

test('a task that the queue has no room for ends its span', async () => {
  await withPool({ maxQueue: 1, name: 'echo' }, (pool) =>
    inRequest(async (_, traceId) => {
      const results = await Promise.allSettled([1, 2, 3, 4].map((input) => pool.run(input)))
      const refused = results.filter(({ status }) => status === 'rejected').length
      assert.ok(refused > 0)
      const submitted = finishedSpans(traceId).filter(({ name }) => name.startsWith('task '))
      assert.equal(submitted.length, 4)
      assert.equal(submitted.filter(({ status }) => status.code === 2).length, refused)
    }),
  )
})

test('the options and the pool stay as they were', async () => {
  const pool = new Piscina({ filename: fixture('tasks.cjs'), minThreads: 1, maxThreads: 1 })
  try {
    assert.equal(pool.options.execArgv, undefined)
    assert.equal(pool.options.env, undefined)
    assert.equal(pool.options.filename, fixture('tasks.cjs'))
    assert.equal(Object.hasOwn(pool, 'run'), false)
    assert.equal(tracePool(pool, host), pool)
    assert.equal(Object.hasOwn(pool, 'run'), false)
    assert.equal(untracePool(pool), pool)
    // No tracing in the worker: the handler gets its plain task.
    assert.equal(await inRequest(() => pool.run('plain', { name: 'echo' })), 'plain')
  } finally {
    await pool.destroy()
  }
})

test('histograms count traced tasks', async () => {
  await withPool({ workerHistogram: true, name: 'echo' }, (pool) =>
    inRequest(async () => {
      for (let i = 0; i < 3; i++) await pool.run(i)
      assert.equal(pool.completed, 3)
      assert.ok(pool.histogram.runTime.max > 0)
    }),
  )
})

test('a rejection that nobody handles stays one', async () => {
  const reasons: unknown[] = []
  const listener = (reason: unknown) => reasons.push(reason)
  const before = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', listener)
  try {
    await withPool({}, (pool) =>
      inRequest(async () => {
        pool.run('unheard', { name: 'throws' })
        await pool.run(1, { name: 'echo' })
        await new Promise((resolve) => setImmediate(resolve))
      }),
    )
  } finally {
    process.removeListener('unhandledRejection', listener)
    for (const each of before) process.on('unhandledRejection', each)
  }
  assert.deepEqual(
    reasons.map((reason) => (reason as Error).message),
    ['unheard'],
  )
})

test('every copy of Piscina is traced', async () => {
  const { Piscina: Copy } = require(copyOfPiscina('copy')) as typeof import('piscina')
  assert.notEqual(Copy, Piscina)
  const pool = new Copy(options(1))
  try {
    await inRequest(async (_, traceId) => {
      assert.deepEqual(await pool.run(1, { name: 'plain' }), { plain: 1, traceId })
      assert.equal(Object.hasOwn(pool, 'run'), false)
    })
  } finally {
    await pool.destroy()
  }
})

test("the worker's file loads nothing but builtins, and does nothing without tracing", () => {
  const shim = join(host.folder, 'piscina', 'task.cjs')
  const program = `
    const handlers = require(${JSON.stringify(shim)})
    const name = ${JSON.stringify(`default\0${fixture('function.cjs')}`)}
    Promise.resolve(handlers[name]).then(async (handler) => {
      console.log(JSON.stringify([Object.keys(require.cache), await handler([{}, 5]), handlers.then, handlers.other]))
    })`
  const { stdout, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: {} })
  assert.equal(status, 0)
  const [loaded, result, ...others] = JSON.parse(stdout)
  assert.deepEqual(loaded, [shim, fixture('function.cjs')])
  assert.deepEqual(result, { function: 5 })
  assert.deepEqual(others, [null, null])
})

test('modules of other packages by the same names are left alone', () => {
  const file = join(folder, 'other.cjs')
  writeFileSync(join(folder, 'index.js'), "require('./worker_pool'); exports.run = 1\n")
  writeFileSync(join(folder, 'worker_pool.js'), 'exports.back = require("./index"); exports.WorkerInfo = 5\n')
  writeFileSync(file, "module.exports = [require('./index'), require('./worker_pool')]\n")
  assert.deepEqual(require(file), [{ run: 1 }, { back: { run: 1 }, WorkerInfo: 5 }])
})
