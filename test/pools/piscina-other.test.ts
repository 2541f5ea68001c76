/** A Piscina whose internals are not built as expected, under `followPools`: `run()` is wrapped on its class. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followPools } from '#dist/pools/follow.js'
import { tracePool } from '#dist/pools/trace-pool.js'
import { inRequest, poolContract } from '../contract/pools.js'
import { copyOfPiscina, fixture, host, options, piscinaSubject, require } from './support.js'

followPools(host)
const other = copyOfPiscina('other', (text) => text.replaceAll('releaseTask', 'giveTaskAway'))
const { Piscina } = require(other) as typeof import('piscina')

poolContract(piscinaSubject('another piscina', Piscina, false, (pool) => pool))

test('the class is wrapped, and only once', async () => {
  const pool = new Piscina(options(1, { name: 'echo' }))
  try {
    assert.equal(tracePool(pool, host), pool)
    assert.equal(Object.hasOwn(pool, 'run'), false)
    assert.equal(Piscina.prototype.run.name, 'run')
    assert.equal(Piscina.prototype.run.length, 1)
    assert.equal(Object.getOwnPropertyDescriptor(Piscina.prototype, 'run')?.enumerable, false)
    const buffer = new ArrayBuffer(8)
    await inRequest(async () => {
      assert.equal(await pool.run(Piscina.move(buffer), { name: 'byteLength' }), 8)
      assert.equal(buffer.byteLength, 0)
      assert.deepEqual(await pool.run({ a: 1 }), { a: 1 })
      const { pathname } = new URL(`file://${fixture('function.cjs')}`)
      assert.deepEqual(await pool.run(5, { filename: pathname, name: 'default' }), { function: 5 })
    })
  } finally {
    await pool.destroy()
  }
})
