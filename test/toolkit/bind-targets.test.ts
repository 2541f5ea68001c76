import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { bind, propagate, unwrap } from '#dist/index.js'

const store = new AsyncLocalStorage<string>()
propagate(store, { name: 'toolkit' })
const current = () => store.getStore()
const inside = <T>(name: string, fn: () => T): T => store.run(name, fn)

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

async function isCollected(make: () => object): Promise<boolean> {
  const reference = new WeakRef(make())
  for (let i = 0; i < 20 && reference.deref() !== undefined; i++) {
    await immediate()
    gc()
  }
  return reference.deref() === undefined
}

describe('bind(EventEmitter)', () => {
  it('runs listeners in what was current at bind; off, once and listeners find the originals', () => {
    const emitter = new EventEmitter()
    const seen: unknown[] = []
    const listener = () => seen.push(current())
    emitter.on('e', () => seen.push(['before', current()]))
    assert.equal(
      inside('bound', () => bind(emitter)),
      emitter,
    )
    inside('adding', () => emitter.on('e', listener).once('e', () => seen.push(['once', current()])))
    inside('emitting', () => emitter.emit('e'))
    assert.deepEqual(seen.splice(0), [['before', 'emitting'], 'bound', ['once', 'bound']])
    assert.ok(emitter.listeners('e').includes(listener))
    emitter.off('e', listener)
    inside('emitting', () => emitter.emit('e'))
    assert.deepEqual(seen, [['before', 'emitting']])
  })

  it('bound again, later listeners follow the later call; unwrapped, they are bound no more', () => {
    const emitter = new EventEmitter()
    const seen: unknown[] = []
    const methods = Object.getOwnPropertyNames(emitter)
    for (const name of ['one', 'two']) {
      inside(name, () => bind(emitter))
      emitter.on('e', () => seen.push(current()))
    }
    assert.equal(unwrap(emitter), emitter)
    assert.deepEqual(Object.getOwnPropertyNames(emitter), methods)
    emitter.on('e', () => seen.push(current()))
    inside('emitting', () => emitter.emit('e'))
    assert.deepEqual(seen, ['one', 'two', 'emitting'])
  })

  it('streams: data and end come in the bound context', async () => {
    const stream = inside('bound', () => bind(new PassThrough()))
    const seen: unknown[] = []
    stream.on('data', () => seen.push(current())).on('end', () => seen.push(current()))
    inside('writing', () => stream.end('text'))
    await once(stream, 'close')
    assert.deepEqual(seen, ['bound', 'bound'])
  })

  it('a connection of an HTTP server: every listener, though Node replaces its methods at the first', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const seen: unknown[] = []
    server.on('upgrade', (_request, socket: Socket) => {
      inside('bound', () => bind(socket))
      for (const name of ['data', 'end', 'close']) socket.on(name, () => seen.push(current()))
      socket.on('end', () => socket.end())
      socket.write('ready')
    })
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    client.once('data', () => client.end('hello')).resume()
    await once(client, 'close')
    server.close()
    await once(server, 'close')
    assert.deepEqual(seen, ['bound', 'bound', 'bound'])
  })

  it('keeps no emitter alive', async () => {
    assert.ok(await isCollected(() => inside('x', () => bind(new EventEmitter()))))
  })
})

describe('bind(AbortSignal)', () => {
  it('runs abort listeners and onabort in what was current at bind, not where it is aborted', () => {
    const controller = new AbortController()
    const { signal } = controller
    const seen: unknown[] = []
    assert.equal(
      inside('bound', () => bind(signal)),
      signal,
    )
    const onabort = () => seen.push(['onabort', current()])
    signal.onabort = onabort
    assert.equal(signal.onabort, onabort)
    signal.addEventListener('abort', { handleEvent: () => seen.push(['object', current()]) }, { once: true })
    inside('aborting', () => controller.abort())
    assert.deepEqual(seen, [
      ['onabort', 'bound'],
      ['object', 'bound'],
    ])
  })

  it('a listener that is added twice is called once, and one that is removed not at all', () => {
    const target = new EventTarget()
    let calls = 0
    const listener = () => calls++
    const early = () => calls++
    target.addEventListener('e', early)
    inside('bound', () => bind(target))
    target.addEventListener('e', listener)
    target.addEventListener('e', listener)
    target.dispatchEvent(new Event('e'))
    assert.equal(calls, 2)
    target.removeEventListener('e', listener)
    target.removeEventListener('e', early)
    target.dispatchEvent(new Event('e'))
    assert.equal(calls, 2)
    unwrap(target)
    const seen: unknown[] = []
    target.addEventListener('e', () => seen.push(current()))
    inside('dispatching', () => target.dispatchEvent(new Event('e')))
    assert.deepEqual(seen, ['dispatching'])
  })

  it('works where Node listens: AbortSignal.any, fetch-like use through events.once', async () => {
    const controller = new AbortController()
    inside('bound', () => bind(controller.signal))
    const any = AbortSignal.any([controller.signal])
    const waiting = once(new EventEmitter(), 'never', { signal: controller.signal })
    controller.abort()
    assert.ok(any.aborted)
    await assert.rejects(waiting, { name: 'AbortError' })
  })

  it('keeps no signal alive', async () => {
    assert.ok(await isCollected(() => inside('x', () => bind(new AbortController().signal))))
  })
})

describe('bind(EventTarget)', () => {
  it('bound again elsewhere, a listener that is added again follows the later call, however it was taken out', () => {
    const target = new EventTarget()
    const seen: unknown[] = []
    const listener = () => seen.push(current())
    const ways: Record<string, (add: (options?: object) => void) => void> = {
      removed(add) {
        add()
        target.dispatchEvent(new Event('x'))
        target.removeEventListener('x', listener)
      },
      once(add) {
        add({ once: true })
        target.dispatchEvent(new Event('x'))
      },
      aborted(add) {
        const controller = new AbortController()
        add({ signal: controller.signal })
        target.dispatchEvent(new Event('x'))
        controller.abort()
      },
    }
    for (const [way, run] of Object.entries(ways)) {
      for (const where of ['one', 'two']) {
        inside(where, () => bind(target))
        run((options) => target.addEventListener('x', listener, options))
        target.dispatchEvent(new Event('x'))
      }
      assert.deepEqual(seen.splice(0), ['one', 'two'], way)
    }
  })

  it('one listener for several types and phases has a binding for each', () => {
    const target = new EventTarget()
    const seen: unknown[] = []
    const listener = { handleEvent: ({ type }: Event) => seen.push([type, current()]) }
    inside('one', () => bind(target))
    target.addEventListener('x', listener)
    inside('two', () => bind(target))
    target.addEventListener('y', listener, { capture: true })
    target.addEventListener('x', listener)
    for (const type of ['x', 'y']) target.dispatchEvent(new Event(type))
    assert.deepEqual(seen.splice(0), [
      ['x', 'one'],
      ['y', 'two'],
    ])
    target.removeEventListener('y', listener)
    target.dispatchEvent(new Event('y'))
    target.removeEventListener('y', listener, { capture: true })
    target.removeEventListener('x', listener)
    for (const type of ['x', 'y']) target.dispatchEvent(new Event(type))
    assert.deepEqual(seen, [['y', 'two']])
  })
})

describe('bind(async iterator)', () => {
  it('leaves the other members of an iterator as they are, with private fields and `this`', async () => {
    class Cursor implements AsyncIterator<number> {
      #open = true
      #left = 2
      readonly steps: unknown[] = []
      async next(): Promise<IteratorResult<number>> {
        this.steps.push(current())
        return this.#left-- > 0 ? { value: this.#left, done: false } : { value: undefined, done: true }
      }
      [Symbol.asyncIterator](): this {
        return this
      }
      get open(): boolean {
        return this.#open
      }
      set limit(limit: number) {
        this.#left = limit
      }
      self(): this {
        return this
      }
      async close(): Promise<void> {
        this.#open = false
      }
    }
    const cursor = inside('bound', () => bind(new Cursor()))
    assert.ok(cursor instanceof Cursor)
    assert.equal(cursor.self(), cursor)
    assert.equal(cursor.close, cursor.close)
    cursor.limit = 1
    for await (const _ of { [Symbol.asyncIterator]: () => cursor }) assert.equal(current(), undefined)
    await cursor.close()
    assert.equal(cursor.open, false)
    assert.deepEqual(cursor.steps, ['bound', 'bound'])
    assert.ok(unwrap(cursor) instanceof Cursor && unwrap(cursor) !== cursor)
    assert.throws(() => bind(Object.freeze({ next: 1 })), { code: 'THREADSPAN_INVALID_ARGUMENT' })
  })

  async function* numbers(seen: unknown[]) {
    try {
      for (let n = 0; ; n++) {
        seen.push(current())
        await null
        yield n
      }
    } finally {
      seen.push(['end', current()])
    }
  }

  it('its steps run in what was current at bind, the loop body where the loop is', async () => {
    const seen: unknown[] = []
    const source = numbers(seen)
    const bound = inside('bound', () => bind(source))
    assert.equal(bind(bound), bound)
    assert.equal(unwrap(bound), source)
    await inside('consuming', async () => {
      for await (const n of bound) {
        seen.push([n, current()])
        if (n === 1) break
      }
    })
    assert.deepEqual(seen, ['bound', [0, 'consuming'], 'bound', [1, 'consuming'], ['end', 'bound']])
  })

  it('iterables give bound iterators, each anew', async () => {
    const iterable = { [Symbol.asyncIterator]: () => numbers([current()]) }
    const bound = inside('bound', () => bind(iterable))
    for (let i = 0; i < 2; i++) {
      for await (const n of bound) {
        assert.equal(n, 0)
        break
      }
    }
  })

  it('a readable stream is an emitter, and comes back itself', () => {
    const stream = Readable.from(['a'])
    assert.equal(bind(stream), stream)
  })
})

it('timers run in what was current when they were set', async () => {
  const seen = await inside('set', () => new Promise((done) => setTimeout(() => done(current()), 1)))
  const tied = inside('bound', () => bind(() => current()))
  const other = await inside('set', () => new Promise((done) => setTimeout(() => done(tied()), 1)))
  assert.deepEqual([seen, other], ['set', 'bound'])
})

it('refuses what it cannot bind', () => {
  for (const wrong of [undefined, null, 1, {}, []]) {
    assert.throws(() => bind(wrong as never), { code: 'THREADSPAN_INVALID_ARGUMENT' })
  }
})

it('a registration ends with its scope', () => {
  const scoped = new AsyncLocalStorage<number>()
  const end = propagate(scoped, { name: 'scoped' })
  end[Symbol.dispose]()
  // The name is free again.
  propagate(new AsyncLocalStorage<number>(), { name: 'scoped' })()
})
