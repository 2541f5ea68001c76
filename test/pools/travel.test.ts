/** What travels with a task besides its span: transaction, trace state, registered values. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, test } from 'node:test'
import { context, createTraceState, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { Piscina } from 'piscina'
import { Snapshot } from '#dist/context/snapshot.js'
import { withTransaction } from '#dist/context/transaction.js'
import { propagate } from '#dist/context/values.js'
import { tracePool } from '#dist/pools/trace-pool.js'
import { finishedSpans, inRequest } from '../contract/pools.js'
import { fixture, host, options } from './support.js'

const travel = { filename: fixture('travel.cjs') }
const pool = tracePool(new Piscina(options(1, { ...travel, argv: ['register'] })), host)
const unaware = tracePool(new Piscina(options(1, travel)), host)
after(() => Promise.all([pool.destroy(), unaware.destroy()]))

test('the transaction is known in the worker', async () => {
  await withTransaction('nightly', async ({ id }) => {
    assert.deepEqual((await pool.run(0)).transaction, { id, name: 'nightly', local: false })
  })
  assert.equal((await pool.run(0)).transaction, undefined)
})

test('trace state travels', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const traceState = createTraceState('vendor=value')
  const parent = { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1, traceState }
  await context.with(trace.setSpanContext(ROOT_CONTEXT, parent), async () => {
    assert.equal((await pool.run(0)).state, 'vendor=value')
  })
  const ran = finishedSpans(traceId).find(({ name }) => name === 'run travel')
  assert.equal(ran?.parentIsRemote, false)
  assert.equal(typeof ran?.attributes['threadspan.queue.wait'], 'number')
})

test('registered values travel, with a span and without', async () => {
  const storage = new AsyncLocalStorage<string>()
  const unregister = propagate(storage, { name: 'tenant' })
  try {
    assert.equal((await storage.run('acme', () => pool.run(0))).tenant, 'acme')
    await inRequest(async (_, traceId) => {
      assert.equal((await storage.run('acme', () => pool.run(0))).tenant, 'acme')
      assert.equal(finishedSpans(traceId).length, 2)
      assert.deepEqual((await storage.run('acme', () => unaware.run(0))).values, { tenant: 'acme' })
    })
    assert.equal((await pool.run(0)).tenant, undefined)
  } finally {
    unregister()
  }
})

test('values that this thread only passes on travel too', async () => {
  const arrived = Snapshot.from({ values: { tenant: 'acme' } })
  assert.equal((await arrived.run(() => pool.run(0))).tenant, 'acme')
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const both = Snapshot.from({ traceparent, values: { tenant: 'acme' } })
  assert.equal((await both.run(() => pool.run(0))).tenant, 'acme')
})

test('a value that cannot travel is left out, and the task runs', async () => {
  const storage = new AsyncLocalStorage<unknown>()
  const unregister = propagate(storage, { name: 'tenant' })
  try {
    await inRequest(async () => {
      assert.equal(
        (
          await storage.run(
            () => {},
            () => pool.run(0),
          )
        ).tenant,
        undefined,
      )
    })
  } finally {
    unregister()
  }
})
