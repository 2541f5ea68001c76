import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { trace } from '@opentelemetry/api'

import { bind, unwrap } from '#dist/context/bind.js'
import { Snapshot } from '#dist/context/snapshot.js'
import { propagate } from '#dist/context/values.js'

const snapshot = (n: number) =>
  Snapshot.from({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-${String(n).padStart(16, '0')}-01` })
const active = () => trace.getActiveSpan()?.spanContext().spanId

test('runs in what was current when it was bound, with receiver, arguments, length and name', () => {
  const self = {}
  function named(this: unknown, a: number, b: number) {
    return [this === self, a + b, active()]
  }
  const bound = snapshot(1).run(() => bind(named))
  assert.deepEqual(
    snapshot(2).run(() => bound.call(self, 1, 2)),
    [true, 3, '0000000000000001'],
  )
  assert.deepEqual([bound.name, bound.length], ['named', 2])
})

test('has what the function has of its own, and constructs where that is a class', () => {
  const mark = Symbol('mark')
  const fn = Object.assign(() => active(), { version: 2, [mark]: 'x' })
  const bound = snapshot(1).run(() => bind(fn))
  assert.deepEqual([bound.version, bound[mark]], [2, 'x'])
  class Made {
    static of = 'Made'
    readonly where = active()
    constructor(readonly value: number) {}
  }
  const Bound = snapshot(1).run(() => bind(Made as never)) as unknown as typeof Made
  const made = snapshot(2).run(() => new Bound(3))
  assert.deepEqual([made.where, made.value, Bound.of], ['0000000000000001', 3, 'Made'])
  assert.ok(made instanceof Made && made instanceof Bound)
  assert.throws(() => (Bound as unknown as () => void)(), TypeError)
  class Derived extends Bound {}
  assert.ok(new Derived(1) instanceof Made)
})

test('the steps of generators run in what was current when the function was bound, the loop where it is', async () => {
  function* steps() {
    yield active()
    yield active()
    return active()
  }
  const bound = snapshot(1).run(() => bind(steps))
  const seen = snapshot(2).run(() => [...bound()].concat(active()))
  assert.deepEqual(seen, ['0000000000000001', '0000000000000001', '0000000000000002'])
  const later = snapshot(1).run(() =>
    bind(async function* () {
      yield active()
      await immediate()
      yield active()
    }),
  )
  await snapshot(2).run(async () => {
    const told = []
    for await (const each of later()) told.push(each, active())
    assert.deepEqual(told, ['0000000000000001', '0000000000000002', '0000000000000001', '0000000000000002'])
  })
})

test('bound twice in the same, it is the same; bound already, it stays; unwrap gives the original', () => {
  const fn = () => active()
  const one = snapshot(1)
  const bound = one.run(() => bind(fn))
  assert.equal(
    one.run(() => bind(fn)),
    bound,
  )
  assert.equal(
    one.run(() => bind(bound)),
    bound,
  )
  assert.equal(
    snapshot(2).run(() => bind(bound)),
    bound,
  )
  const other = snapshot(2).run(() => bind(fn))
  assert.notEqual(other, bound)
  assert.deepEqual([bound(), other()], ['0000000000000001', '0000000000000002'])
  assert.equal(unwrap(bound), fn)
  assert.equal(unwrap(other), fn)
  assert.equal(unwrap(fn), fn)
})

test('another value is not the same', () => {
  const storage = new AsyncLocalStorage<number>()
  const stop = propagate(storage, { name: 'bind' })
  const fn = () => storage.getStore()
  const one = storage.run(1, () => bind(fn))
  const two = storage.run(2, () => bind(fn))
  assert.deepEqual([one(), two(), storage.run(1, () => bind(fn))()], [1, 2, 1])
  stop()
})

test('a function that lives on does not keep alive what it was bound in', async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const longLived = () => active()
  const held = (() => {
    const request = snapshot(3)
    assert.equal(request.run(() => bind(longLived))(), '0000000000000003')
    return new WeakRef(request.context)
  })()
  for (let i = 0; i < 10 && held.deref() !== undefined; i++) {
    await immediate()
    gc()
  }
  assert.equal(held.deref(), undefined)
})
