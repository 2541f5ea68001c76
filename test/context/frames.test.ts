import assert from 'node:assert/strict'
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { framesOf } from '#dist/context/frames.js'
import { dist } from '../support/dist.js'

const major = Number(process.versions.node.split('.')[0])
const hasFrames = framesOf(new AsyncLocalStorage()) !== undefined

test('frames are used where Node keeps values in them, and nowhere else', () => {
  assert.equal(hasFrames, major >= 24 && !process.execArgv.includes('--no-async-context-frame'))
  if (major < 24) return
  const script = `import(${JSON.stringify(dist('context/frames.js'))}).then(({ framesOf }) =>
    console.log(framesOf(new (require('node:async_hooks').AsyncLocalStorage)())))`
  const { stdout } = spawnSync(process.execPath, ['--no-async-context-frame', '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(stdout, 'undefined\n')
})

/** Enters a value of one storage by `run()`, or by frames. */
type Enter = <T>(value: number, fn: () => T) => T

/** A walk of random steps that are the same for the same seed, and what each saw of three storages. */
async function walk(seed: number, own: AsyncLocalStorage<number>, enter: Enter): Promise<string> {
  const others = [new AsyncLocalStorage<number>(), new AsyncLocalStorage<number>()]
  const seen: unknown[] = []
  const look = () => seen.push([own, ...others].map((storage) => storage.getStore()))
  let state = seed
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const step = (depth: number): void => {
    look()
    if (depth === 0) return
    const value = next(1000)
    const other = others[next(2)]!
    const inside = () => step(depth - 1)
    switch (next(8)) {
      case 0:
      case 1:
      case 2:
        enter(value, inside)
        break
      case 3:
        other.run(value, inside)
        break
      case 4:
        other.enterWith(value)
        break
      case 5:
        other.exit(inside)
        break
      case 6:
        try {
          enter(value, () => {
            inside()
            throw new Error('thrown')
          })
        } catch {
          look()
        }
        break
      case 7:
        new AsyncResource('test').runInAsyncScope(inside)
        break
    }
    look()
    if (next(3) === 0) step(depth - 1)
  }
  const later: Promise<void>[] = []
  for (let i = 0; i < 10; i++) {
    later.push(
      others[0]!.run(i, async () => {
        step(5)
        await immediate()
        look()
        await Promise.resolve()
        step(5)
      }),
    )
  }
  await Promise.all(later)
  return JSON.stringify(seen)
}

describe('a context entered by frames', { skip: !hasFrames }, () => {
  test('shows every storage what run() would have shown it', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const plain = new AsyncLocalStorage<number>()
      const expected = await walk(seed, plain, (value, fn) => plain.run(value, fn))
      const framed = new AsyncLocalStorage<number>()
      const frames = framesOf(framed)!
      const byList = await walk(seed, framed, (value, fn) => frames.run(value, fn, undefined, []))
      assert.ok(byList === expected, `seed ${seed}`)
      const again = new AsyncLocalStorage<number>()
      const calls = framesOf(again)!
      const byOne = await walk(seed, again, (value, fn) => calls.call(value, fn, undefined))
      assert.ok(byOne === expected, `seed ${seed}`)
    }
  })

  test('hands on receiver, arguments, result and error', () => {
    const frames = framesOf(new AsyncLocalStorage<number>())!
    const self = {}
    const seen = function (this: unknown, ...args: number[]) {
      return [this, args]
    }
    assert.deepEqual(frames.run(1, seen, self, [1, 2]), [self, [1, 2]])
    assert.equal(
      frames.call(1, (argument: string) => `${argument}!`, 'x'),
      'x!',
    )
    assert.equal(frames.current(), undefined)
  })

  test('lets others disable a storage within, for itself and for what comes behind, but not for what is outside', () => {
    const [storage, other] = [new AsyncLocalStorage<number>(), new AsyncLocalStorage<number>()]
    const frames = framesOf(storage)!
    for (const enter of [
      <T>(value: number, fn: () => T) => storage.run(value, fn),
      <T>(value: number, fn: () => T) => frames.call(value, fn, undefined),
    ]) {
      other.run(1, () => {
        const outside = AsyncLocalStorage.snapshot()
        enter(2, () => {
          const before = AsyncLocalStorage.snapshot()
          enter(3, () => {
            other.disable()
            assert.deepEqual([storage.getStore(), other.getStore()], [3, undefined])
          })
          assert.deepEqual([storage.getStore(), other.getStore()], [2, undefined])
          before(() => assert.deepEqual([storage.getStore(), other.getStore()], [2, 1]))
        })
        assert.deepEqual([storage.getStore(), other.getStore()], [undefined, undefined])
        outside(() => assert.equal(other.getStore(), 1))
      })
    }
  })

  test('is forgotten with its storage', () => {
    const storage = new AsyncLocalStorage<number>()
    const frames = framesOf(storage)!
    frames.run(
      1,
      () => {
        storage.disable()
        assert.equal(frames.current(), undefined)
        assert.equal(storage.getStore(), undefined)
      },
      undefined,
      [],
    )
  })
})
