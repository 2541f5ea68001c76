import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { contextWithValue } from '#dist/context/context.js'

import { ThreadContextManager } from '#dist/context/manager.js'
import { dist } from '../support/dist.js'

const key = createContextKey('manager test')
const one = contextWithValue(ROOT_CONTEXT, key, 'one')
const two = ROOT_CONTEXT.setValue(key, 'two')
const make = () => new ThreadContextManager().enable()

describe('with', () => {
  test('is the root before, during nothing, and after', () => {
    const manager = make()
    assert.equal(manager.active(), ROOT_CONTEXT)
    manager.with(one, () => assert.equal(manager.active(), one))
    assert.equal(manager.active(), ROOT_CONTEXT)
    manager.with(one, () => manager.with(ROOT_CONTEXT, () => assert.equal(manager.active(), ROOT_CONTEXT)))
  })

  test('hands on receiver, arguments and result, for any number of arguments', () => {
    const manager = make()
    const self = { self: true }
    const seen = function (this: unknown, ...args: unknown[]) {
      return [this, args]
    }
    for (const context of [ROOT_CONTEXT, one, ROOT_CONTEXT]) {
      for (const args of [[], [1], [1, 2], [1, 2, 3], [undefined, undefined]]) {
        assert.deepEqual(manager.with(context, seen, self, ...args), [self, args])
        assert.deepEqual((manager.with(context, seen, undefined, ...args) as unknown[])[1], args)
      }
    }
  })

  test('throws what is thrown, and restores the context then too', () => {
    const manager = make()
    const error = new Error('thrown')
    const thrower = () => {
      throw error
    }
    manager.with(one, () => {
      assert.throws(() => manager.with(two, thrower), error)
      assert.equal(manager.active(), one)
    })
    assert.throws(() => manager.with(ROOT_CONTEXT, thrower), error)
  })

  test('stays through promises, timers and microtasks, and siblings do not see each other', async () => {
    const manager = make()
    const walk = async () => {
      const context = manager.active()
      for (const step of [() => sleep(1), () => immediate(), () => Promise.resolve()]) {
        await step()
        assert.equal(manager.active(), context)
      }
      await manager.with(two, async () => {
        await sleep(1)
        assert.equal(manager.active(), two)
      })
      assert.equal(manager.active(), context)
    }
    await Promise.all([manager.with(one, walk), manager.with(two, walk), walk()])
    assert.equal(manager.active(), ROOT_CONTEXT)
  })

  test('not awaited work does not change the context of the caller', async () => {
    const manager = make()
    await manager.with(one, async () => {
      const inner = manager.with(two, async () => {
        await sleep(1)
        return manager.active()
      })
      assert.equal(manager.active(), one)
      assert.equal(await inner, two)
      assert.equal(manager.active(), one)
    })
  })

  test('a context that is none counts as the root', () => {
    const manager = make()
    manager.with(undefined as never, () => assert.equal(manager.active(), ROOT_CONTEXT))
  })
})

test('disable forgets what is active; with works again afterwards', () => {
  const manager = make()
  manager.with(one, () => {
    assert.equal(manager.disable(), manager)
    assert.equal(manager.active(), ROOT_CONTEXT)
  })
  manager.with(two, () => assert.equal(manager.active(), two))
  assert.equal(new ThreadContextManager().disable().enable().active(), ROOT_CONTEXT)
})

describe('bind of a function', () => {
  test('runs it in the context, whoever calls it, with receiver, arguments, length and name', async () => {
    const manager = make()
    const self = {}
    function named(this: unknown, a: number, b: number) {
      assert.equal(this, self)
      assert.equal(manager.active(), one)
      return a + b
    }
    const bound = manager.bind(one, named)
    assert.equal(bound.call(self, 1, 2), 3)
    assert.equal(
      manager.with(two, () => bound.call(self, 3, 4)),
      7,
    )
    assert.equal(bound.name, 'named')
    assert.equal(bound.length, 2)
    const later = manager.bind(two, async () => {
      await sleep(1)
      return manager.active()
    })
    assert.equal(await later(), two)
  })

  test('gives back what is neither function nor emitter', () => {
    const manager = make()
    for (const target of [{ a: 1 }, null, undefined, 7, 'text'])
      assert.equal(manager.bind(one, target), target)
  })
})

describe('bind of an emitter', () => {
  const record = (manager: InstanceType<typeof ThreadContextManager>) => {
    const seen: unknown[] = []
    return { seen, listener: (...args: unknown[]) => void seen.push(manager.active().getValue(key), ...args) }
  }

  for (const add of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const) {
    test(`${add}: runs in the context, is found and removed by the original`, () => {
      const manager = make()
      const emitter = new EventEmitter()
      assert.equal(manager.bind(one, emitter), emitter)
      const { seen, listener } = record(manager)
      assert.equal(emitter[add]('event', listener), emitter)
      assert.deepEqual(emitter.listeners('event'), [listener])
      assert.equal(emitter.listenerCount('event', listener), 1)
      manager.with(two, () => emitter.emit('event', 1, 2))
      emitter.emit('event')
      const once = add === 'once' || add === 'prependOnceListener'
      assert.deepEqual(seen, once ? ['one', 1, 2] : ['one', 1, 2, 'one'])
      assert.equal(emitter.listenerCount('event'), once ? 0 : 1)
      for (const remove of ['off', 'removeListener'] as const) {
        emitter.removeAllListeners('event')
        emitter[add]('event', listener)
        emitter[remove]('event', listener)
        assert.equal(emitter.listenerCount('event'), 0)
      }
    })
  }

  test('keeps order, receiver and the events about listeners', () => {
    const manager = make()
    const emitter = manager.bind(one, new EventEmitter())
    const told: unknown[] = []
    emitter.on('newListener', (_event, listener) => told.push(listener))
    emitter.on('removeListener', (_event, listener) => told.push(listener))
    told.length = 0
    const order: number[] = []
    const first = () => void order.push(1)
    const second = function (this: unknown) {
      assert.equal(this, emitter)
      order.push(2)
    }
    emitter.once('event', second)
    emitter.prependOnceListener('event', first)
    emitter.emit('event')
    assert.deepEqual(order, [1, 2])
    // Like Node's own `once`, which tells the wrapper where there is more than one listener.
    const original = (listener: unknown) => (listener as { listener?: unknown }).listener ?? listener
    assert.deepEqual(told.map(original), [second, first, first, second])
  })

  test('a listener that removes itself is gone at once; removeAllListeners leaves none', () => {
    const manager = make()
    const emitter = manager.bind(one, new EventEmitter())
    let calls = 0
    const listener = () => {
      calls++
      emitter.removeListener('event', listener)
    }
    emitter.on('event', listener)
    emitter.emit('event')
    emitter.emit('event')
    assert.equal(calls, 1)
    emitter.on('event', listener).once('event', listener)
    emitter.removeAllListeners()
    assert.equal(emitter.listenerCount('event'), 0)
  })

  test('listeners from before stay as they are; a second bind counts for those from then on', () => {
    const manager = make()
    const emitter = new EventEmitter()
    const { seen, listener } = record(manager)
    emitter.on('event', listener)
    manager.bind(one, emitter).on('event', listener)
    manager.bind(two, emitter).on('event', listener)
    emitter.emit('event')
    assert.deepEqual(seen, [undefined, 'one', 'two'])
  })

  test('works for streams, whose own methods do more, and for classes whose addListener calls on', async () => {
    const manager = make()
    const stream = manager.bind(one, new PassThrough())
    const seen: unknown[] = []
    stream.on('data', (chunk) => seen.push(String(chunk), manager.active()))
    stream.once('end', () => seen.push('end', manager.active()))
    stream.end('text')
    await sleep(5)
    assert.deepEqual(seen, ['text', one, 'end', one])

    class Odd extends EventEmitter {
      override addListener(event: string, listener: () => void) {
        return this.on(event, listener)
      }
    }
    const odd = manager.bind(one, new Odd())
    const listener = () => {}
    odd.addListener('event', listener)
    odd.off('event', listener)
    assert.equal(odd.listenerCount('event'), 0)
  })

  test('refuses what Node refuses, and shows nothing of itself', () => {
    const manager = make()
    const emitter = manager.bind(one, new EventEmitter())
    for (const add of ['on', 'once'] as const) {
      assert.throws(() => emitter[add]('event', 'no function' as never), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    assert.deepEqual(Object.keys(emitter), Object.keys(new EventEmitter()))
    assert.equal(emitter.once.name, 'once')
    const frozen = Object.freeze(new EventEmitter())
    assert.equal(manager.bind(one, frozen), frozen)
  })
})

test('no AsyncLocalStorage runs before the first context: async ids stay those of a bare program', () => {
  const script = `
    const hooks = require('node:async_hooks')
    const original = hooks.AsyncLocalStorage.prototype.run
    let runs = 0
    hooks.AsyncLocalStorage.prototype.run = function (...args) { runs++; return original.apply(this, args) }
    import(${JSON.stringify(dist('context/manager.js'))}).then(({ ThreadContextManager }) => {
      const { ROOT_CONTEXT, createContextKey } = require(${JSON.stringify(createRequire(import.meta.url).resolve('@opentelemetry/api'))})
      const manager = new ThreadContextManager()
      manager.active(); manager.with(ROOT_CONTEXT, () => manager.active()); manager.bind(ROOT_CONTEXT, () => 1)()
      const before = runs
      manager.with(ROOT_CONTEXT.setValue(createContextKey('x'), 1), () => {})
      console.log(before, runs)
    })`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  // Where Node keeps values on resources, each storage that ran once costs the thread from then on: there is none but the manager's own.
  const hasResources = '_propagate' in AsyncLocalStorage.prototype
  assert.match(stdout, hasResources ? /^0 1\n$/ : /^0 [1-9]\d*\n$/, stderr)
})
