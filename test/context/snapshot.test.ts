import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import fc from 'fast-check'
import { ensureContextManager } from '#dist/context/manager.js'
import { capture, Snapshot } from '#dist/context/snapshot.js'
import { currentTransaction } from '#dist/context/transaction.js'
import { propagate } from '#dist/context/values.js'
import { counters } from '#dist/core/counters.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-03`
const full = {
  traceparent,
  tracestate: 'rojo=1,congo=2',
  baggage: 'user=Am%C3%A9lie;p=1,k=v',
  transaction: { id: '00f067aa0ba902b7', name: 'GET /users/:id' },
  values: { tenant: 'blue', list: [1, { two: null }] },
}

test('with no context manager registered, the first snapshot that needs one brings ours', () => {
  assert.equal(capture(), Snapshot.ROOT)
  const key = createContextKey('probe')
  const probe = ROOT_CONTEXT.setValue(key, 1)
  Snapshot.ROOT.run(() =>
    assert.equal(
      context.with(probe, () => context.active()),
      ROOT_CONTEXT,
    ),
  )
  Snapshot.from(full).run(() => assert.equal(trace.getActiveSpan()?.spanContext().traceId, traceId))
  assert.equal(ensureContextManager(), true)
  context.disable()
  Snapshot.from(full).run(() => assert.equal(trace.getActiveSpan()?.spanContext().traceId, traceId))
})

test('run: enters for the length of the call, and keeps to it across await', async () => {
  const snapshot = Snapshot.from(full)
  const seen = await snapshot.run(
    async (a: number, b: number) => {
      await sleep(1)
      return [trace.getActiveSpan()?.spanContext().spanId, a + b]
    },
    1,
    2,
  )
  assert.deepEqual(seen, ['b7ad6b7169203331', 3])
  assert.equal(trace.getActiveSpan(), undefined)
  const error = new Error('thrown')
  assert.throws(
    () =>
      snapshot.run(() => {
        throw error
      }),
    error,
  )
  assert.equal(context.active(), ROOT_CONTEXT)
})

test('a snapshot of nothing clears what is current', () => {
  Snapshot.from(full).run(() => {
    assert.ok(trace.getActiveSpan())
    Snapshot.ROOT.run(() => assert.equal(context.active(), ROOT_CONTEXT))
    assert.ok(trace.getActiveSpan())
  })
})

test('wrap: receiver, arguments, result, length and name are those of the function', () => {
  const self = {}
  function named(this: unknown, a: string, b: string) {
    assert.equal(this, self)
    return a + b + trace.getActiveSpan()?.spanContext().traceFlags
  }
  const wrapped = Snapshot.from(full).wrap(named)
  assert.equal(wrapped.call(self, 'a', 'b'), 'ab3')
  assert.equal(wrapped.length, 2)
  assert.equal(wrapped.name, 'named')
  assert.equal(Snapshot.ROOT.wrap(() => {}).name, '')
})

test('from and toCarrier give back what they were given', () => {
  assert.deepEqual(
    Snapshot.from(full).run(() => capture().toCarrier()),
    full,
  )
  assert.deepEqual(Snapshot.from(full).toCarrier(), full)
  assert.deepEqual(Snapshot.from(JSON.parse(JSON.stringify(full))).toCarrier(), full)
  assert.deepEqual(Snapshot.from(structuredClone(full)).toCarrier({ clone: true }), full)
  assert.deepEqual(Snapshot.ROOT.toCarrier(), {})
})

test('a parent is remote unless it is a thread of the same program', () => {
  const remote = (options?: { remote?: boolean }) =>
    trace.getSpan(Snapshot.from(full, options).context)?.spanContext().isRemote
  assert.deepEqual(
    [remote(), remote({}), remote({ remote: true }), remote({ remote: false })],
    [true, true, true, false],
  )
})

test('the transaction of another thread is known by id, trace and name', () => {
  Snapshot.from(full).run(() => {
    const transaction = currentTransaction()!
    assert.deepEqual(
      [transaction.id, transaction.traceId, transaction.name, transaction.local],
      [full.transaction.id, traceId, full.transaction.name, false],
    )
    const before = counters().get('transaction.remote') ?? 0
    assert.equal(
      transaction.setName('other').setAttribute('a', 1).setAttributes({ b: 2 }).name,
      full.transaction.name,
    )
    assert.equal(counters().get('transaction.remote'), before + 3)
    assert.equal(transaction.span.isRecording(), false)
  })
})

test('takes the sound parts of a damaged carrier', () => {
  const from = (carrier: unknown) => Snapshot.from(carrier).toCarrier()
  assert.deepEqual(from({ ...full, traceparent: 'nonsense' }), { baggage: full.baggage, values: full.values })
  assert.deepEqual(from({ ...full, tracestate: 'A=1', values: undefined, baggage: 7 }), {
    traceparent,
    transaction: full.transaction,
  })
  assert.deepEqual(from({ traceparent, transaction: { id: 'short', name: 'x' } }), { traceparent })
  assert.deepEqual(from({ traceparent, transaction: null, values: 'text', tracestate: ['a=1'] }), {
    traceparent,
  })
  assert.deepEqual(from({ traceparent: `${traceparent} `.padEnd(100_000) }), {})
  assert.deepEqual(from({ values: JSON.parse('{"__proto__":{"polluted":1},"a":1}') }), { values: { a: 1 } })
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trap')
      },
    },
  )
  for (const nothing of [undefined, null, 7, 'text', [], {}, hostile])
    assert.equal(Snapshot.from(nothing), Snapshot.ROOT)
})

test('any JSON at all is taken without a throw', () => {
  const field = fc.oneof(fc.string(), fc.jsonValue(), fc.constantFrom(...Object.values(full)))
  fc.assert(
    fc.property(
      fc.record(
        { traceparent: field, tracestate: field, baggage: field, transaction: field, values: field },
        { requiredKeys: [] },
      ),
      (carrier) => {
        const out = Snapshot.from(carrier).run(() => capture().toCarrier())
        // JSON has no negative zero, the one value of it that does not come back.
        const json = JSON.parse(JSON.stringify(out))
        assert.deepEqual(json, JSON.parse(JSON.stringify(structuredClone(out))))
      },
    ),
  )
})

test('with: another value, in a new snapshot', () => {
  const storage = new AsyncLocalStorage<string>()
  const other = new AsyncLocalStorage<string>()
  assert.throws(() => Snapshot.ROOT.with(storage, 'x'), { code: 'THREADSPAN_VALUE_UNREGISTERED' })
  const stops = [propagate(other, { name: 'with other' }), propagate(storage, { name: 'with' })]
  const before = other.run('kept', () => storage.run('old', capture))
  const after = before.with(storage, 'new')
  after.run(() => assert.deepEqual([storage.getStore(), other.getStore()], ['new', 'kept']))
  before.run(() => assert.equal(storage.getStore(), 'old'))
  before.with(storage, undefined).run(() => assert.equal(storage.getStore(), undefined))
  assert.equal(after.equals(before), false)
  assert.equal(before.with(storage, 'old').equals(before), true)
  for (const stop of stops) stop()
})

test('withContext: another context, the same values', () => {
  const storage = new AsyncLocalStorage<string>()
  const stop = propagate(storage, { name: 'with context' })
  const baggage = propagation.createBaggage({ a: { value: '1' } })
  const snapshot = storage.run('v', capture).withContext(propagation.setBaggage(ROOT_CONTEXT, baggage))
  snapshot.run(() => assert.deepEqual([storage.getStore(), propagation.getActiveBaggage()], ['v', baggage]))
  stop()
})
