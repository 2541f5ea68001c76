import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { capture, Snapshot } from '#dist/context/snapshot.js'

import { propagate } from '#dist/context/values.js'
import { counters } from '#dist/core/counters.js'
import type { Snapshot as SnapshotType } from '../../src/context/snapshot.js'

const counted = (cause: string, run: () => void) => {
  const before = counters().get(cause) ?? 0
  run()
  return (counters().get(cause) ?? 0) - before
}

test('a registered value travels by reference within the thread', () => {
  const storage = new AsyncLocalStorage<object>()
  const stop = propagate(storage, { name: 'reference' })
  const value = { mutable: () => 1 }
  const snapshot = storage.run(value, capture)
  assert.equal(storage.getStore(), undefined)
  snapshot.run(() => assert.equal(storage.getStore(), value))
  stop()
  snapshot.run(() => assert.equal(storage.getStore(), undefined))
})

test('registrations that come and go after the capture mix nothing up', () => {
  const [early, mine, late] = [
    new AsyncLocalStorage<string>(),
    new AsyncLocalStorage<string>(),
    new AsyncLocalStorage<string>(),
  ]
  const stopEarly = propagate(early, { name: 'early' })
  const stops = [propagate(mine, { name: 'mine' })]
  const snapshot = early.run('e', () => mine.run('m', capture))
  stopEarly()
  stops.push(propagate(late, { name: 'late' }), propagate(early, { name: 'early again' }))
  snapshot.run(() =>
    assert.deepEqual([early.getStore(), mine.getStore(), late.getStore()], [undefined, 'm', undefined]),
  )
  assert.deepEqual(snapshot.toCarrier().values, { mine: 'm' })
  for (const stop of stops) stop()
})

test('a name that every object has is a name like any other', () => {
  const storage = new AsyncLocalStorage<unknown>()
  const stop = propagate(storage, { name: 'constructor' })
  Snapshot.from({ values: { other: 1 } }).run(() => assert.equal(storage.getStore(), undefined))
  Snapshot.from({ values: { constructor: 1 } }).run(() => assert.equal(storage.getStore(), 1))
  stop()
})

test('what a snapshot does not hold is cleared in it', () => {
  const storage = new AsyncLocalStorage<number>()
  const stop = propagate(storage, { name: 'cleared' })
  const empty = capture()
  storage.run(1, () => {
    empty.run(() => assert.equal(storage.getStore(), undefined))
    Snapshot.ROOT.run(() => assert.equal(storage.getStore(), undefined))
    Snapshot.ROOT.wrap(() => assert.equal(storage.getStore(), undefined))()
    assert.equal(storage.getStore(), 1)
  })
  stop()
})

test('several values, falsy ones too, each in its own storage', () => {
  const storages = [0, '', null, false].map((value, i) => {
    const storage = new AsyncLocalStorage<unknown>()
    return { value, storage, stop: propagate(storage, { name: `falsy ${i}` }) }
  })
  const nest = (i: number): SnapshotType =>
    i === storages.length ? capture() : storages[i]!.storage.run(storages[i]!.value, () => nest(i + 1))
  const snapshot = nest(0)
  const check = () => {
    for (const { value, storage } of storages) assert.equal(storage.getStore(), value)
  }
  snapshot.run(check)
  Snapshot.from(JSON.parse(JSON.stringify(snapshot.toCarrier()))).run(check)
  for (const { stop } of storages) stop()
})

test('serialize and deserialize decide what travels; within the thread they are not asked', () => {
  class User {
    constructor(readonly id: string) {}
  }
  const storage = new AsyncLocalStorage<User>()
  const stop = propagate(storage, {
    name: 'user',
    serialize: (user) => user.id,
    deserialize: (plain) => (typeof plain === 'string' ? new User(plain) : undefined),
  })
  const user = new User('7')
  const snapshot = storage.run(user, capture)
  assert.deepEqual(snapshot.toCarrier().values, { user: '7' })
  snapshot.run(() => assert.equal(storage.getStore(), user))
  Snapshot.from(snapshot.toCarrier()).run(() => assert.deepEqual(storage.getStore(), user))
  Snapshot.from({ values: { user: 13 } }).run(() => assert.equal(storage.getStore(), undefined))
  stop()
})

test('a failing serialize or deserialize costs its value, nothing else', () => {
  const bad = new AsyncLocalStorage<string>()
  const good = new AsyncLocalStorage<string>()
  const fail = () => {
    throw new Error('in user code')
  }
  const stops = [
    propagate(bad, { name: 'bad', serialize: fail, deserialize: fail }),
    propagate(good, { name: 'good' }),
  ]
  const snapshot = bad.run('x', () => good.run('y', capture))
  assert.equal(
    counted('value.serialize', () => assert.deepEqual(snapshot.toCarrier().values, { good: 'y' })),
    1,
  )
  const arrived = Snapshot.from({ values: { bad: 1, good: 'z' } })
  assert.equal(
    counted('value.deserialize', () => arrived.run(() => assert.equal(good.getStore(), 'z'))),
    1,
  )
  for (const stop of stops) stop()
})

test('what cannot travel is left out and counted', () => {
  const storage = new AsyncLocalStorage<unknown>()
  const stop = propagate(storage, { name: 'v' })
  const plain = (value: unknown, clone: boolean) =>
    storage.run(value, () => capture().toCarrier({ clone }).values?.['v'])
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const thrower = {
    get boom() {
      throw new Error('getter')
    },
  }
  for (const [value, json, clone] of [
    [() => 1, true, true],
    [Symbol('s'), true, true],
    [{ nested: { fn() {} } }, false, true],
    [thrower, true, true],
    [10n, true, false],
    [{ n: 10n }, true, false],
    [Number.NaN, true, false],
    [cyclic, true, false],
  ] as const) {
    for (const [form, left] of [
      [false, json],
      [true, clone],
    ] as const) {
      let got: unknown
      assert.equal(
        counted('value.plain', () => {
          got = plain(value, form)
        }),
        left ? 1 : 0,
      )
      assert.equal(got === undefined, left)
    }
  }
  for (const huge of [
    'x'.repeat(70_000),
    { a: 'x'.repeat(70_000) },
    new Array(100_000).fill(1),
    Buffer.alloc(70_000),
    new Map([['k', 'x'.repeat(70_000)]]),
  ]) {
    assert.equal(
      counted('value.size', () => assert.equal(plain(huge, true), undefined)),
      1,
    )
  }
  stop()
})

test('to another thread travels what structured clone takes; elsewhere what JSON takes', () => {
  const storage = new AsyncLocalStorage<unknown>()
  const stop = propagate(storage, { name: 'v' })
  const value = { map: new Map([['k', 1]]), date: new Date(0) }
  const snapshot = storage.run(value, capture)
  const clone = snapshot.toCarrier({ clone: true }).values?.['v']
  assert.deepEqual(clone, value)
  assert.notEqual(clone, value)
  assert.deepEqual(snapshot.toCarrier().values?.['v'], { map: {}, date: '1970-01-01T00:00:00.000Z' })
  stop()
})

test('a value that nobody registered here goes on to where somebody did', () => {
  const carrier = { values: { elsewhere: { deep: [1] } } }
  const passedOn = Snapshot.from(carrier).run(() => capture().toCarrier())
  assert.deepEqual(passedOn.values, carrier.values)
  const storage = new AsyncLocalStorage<unknown>()
  const snapshot = Snapshot.from(passedOn)
  const stop = propagate(storage, { name: 'elsewhere' })
  snapshot.run(() => {
    assert.deepEqual(storage.getStore(), { deep: [1] })
    storage.run(undefined, () => assert.equal(capture().toCarrier().values, undefined))
  })
  stop()
})

test('registering twice replaces; a name taken, a bad name or a bad storage is refused with a code', () => {
  const storage = new AsyncLocalStorage<string>()
  propagate(storage, { name: 'twice', serialize: () => 'first' })
  const stop = propagate(storage, { name: 'twice', serialize: () => 'second' })
  assert.deepEqual(
    storage.run('x', () => capture().toCarrier().values),
    { twice: 'second' },
  )
  assert.throws(() => propagate(new AsyncLocalStorage(), { name: 'twice' }), {
    code: 'THREADSPAN_VALUE_NAME_TAKEN',
  })
  stop()
  propagate(new AsyncLocalStorage(), { name: 'twice' })()
  for (const name of ['', 'x'.repeat(129), '__proto__', 7 as never, undefined as never]) {
    assert.throws(() => propagate(storage, { name }), { code: 'THREADSPAN_VALUE_NAME' })
  }
  assert.throws(() => propagate({} as never, { name: 'x' }), { code: 'THREADSPAN_INVALID_ARGUMENT' })
  const stops = Array.from({ length: 32 }, (_, i) =>
    propagate(new AsyncLocalStorage(), { name: `limit ${i}` }),
  )
  assert.throws(() => propagate(storage, { name: 'too many' }), { code: 'THREADSPAN_VALUE_LIMIT' })
  for (const s of stops) s()
})

test('where there is no value, a storage holds its default, and that stays where it is', (t) => {
  const options = { defaultValue: 'default' }
  const storage = new (AsyncLocalStorage as new (options: object) => AsyncLocalStorage<string>)(options)
  if (storage.getStore() === undefined) {
    t.diagnostic('this Node has no default values')
    return
  }
  const stop = propagate(storage, { name: 'default' })
  Snapshot.ROOT.run(() => assert.equal(storage.getStore(), 'default'))
  storage.run('own', () => {
    Snapshot.ROOT.run(() => assert.equal(storage.getStore(), 'default'))
    assert.equal(capture().toCarrier().values?.['default'], 'own')
  })
  capture().run(() => assert.equal(storage.getStore(), 'default'))
  assert.equal(capture().toCarrier().values, undefined)
  Snapshot.from({ values: { default: 'arrived' } }).run(() => assert.equal(storage.getStore(), 'arrived'))
  stop()
})
