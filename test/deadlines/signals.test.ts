import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { context } from '@opentelemetry/api'
import { request as undiciRequest } from 'undici'
import {
  capture,
  counters,
  currentSignal,
  isThreadspanError,
  Snapshot,
  withCarrier,
  withDeadline,
  withSignal,
  wrapHandler,
} from '#dist/index.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const LONG = 60_000

// The timers of signals keep nothing alive.
const alive = setInterval(() => {}, LONG)
after(() => clearInterval(alive))

/** When a signal aborts. */
const aborted = async (signal: AbortSignal): Promise<unknown> => {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason
}

const nameOf = (reason: unknown): unknown => (reason as { name?: unknown } | undefined)?.name

describe('currentSignal', () => {
  it('never aborts where nothing limits the work', () => {
    const signal = currentSignal()
    assert.ok(signal instanceof AbortSignal)
    assert.equal(signal.aborted, false)
    assert.notEqual(
      signal,
      currentSignal(),
      'listeners of one piece of work must not gather on a signal of all',
    )
  })

  it('is one AbortSignal for all of the work', async () => {
    await withDeadline(LONG, async () => {
      const signal = currentSignal()
      assert.ok(signal instanceof AbortSignal)
      await sleep(1)
      assert.equal(currentSignal(), signal)
    })
  })

  it('aborts as that of AbortSignal.timeout does', async () => {
    const like = AbortSignal.timeout(1)
    const [own, theirs] = await Promise.all([
      withDeadline(1, async () => await aborted(currentSignal())),
      aborted(like),
    ])
    for (const name of ['name', 'message', 'code'] as const)
      assert.equal((own as DOMException)[name], (theirs as DOMException)[name])
    assert.ok(own instanceof DOMException)
  })

  it('tells the truth to who has no turn of the event loop', () => {
    const hear = (ms: number): unknown[] =>
      withDeadline(ms, () => {
        const signal = currentSignal()
        const heard: unknown[] = []
        signal.addEventListener('abort', () => heard.push(signal.reason))
        const end = performance.now() + LONG
        while (!signal.aborted) assert.ok(performance.now() < end)
        assert.throws(() => signal.throwIfAborted(), { name: 'TimeoutError' })
        return heard.map(nameOf)
      })
    // On a busy machine the time can be up before anybody listens.
    let heard: unknown[] = []
    for (let ms = 20; heard.length === 0 && ms < LONG; ms *= 4) heard = hear(ms)
    assert.deepEqual(heard, ['TimeoutError'])
    withDeadline(0, () => {
      assert.throws(() => currentSignal().throwIfAborted(), { name: 'TimeoutError' })
      assert.equal(nameOf(currentSignal().reason), 'TimeoutError')
      assert.equal(AbortSignal.any([currentSignal()]).aborted, true)
    })
  })

  it('has nothing to be seen of its own', () => {
    withDeadline(LONG, () => {
      const signal = currentSignal()
      assert.deepEqual(Object.keys(signal), [])
      assert.equal(String(signal), '[object AbortSignal]')
      const once = () => {}
      signal.addEventListener('abort', once)
      assert.deepEqual(getEventListeners(signal, 'abort'), [once])
      signal.removeEventListener('abort', once)
      assert.deepEqual(getEventListeners(signal, 'abort'), [])
    })
  })

  it('warns nobody of many listeners', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error): void => void warnings.push(warning)
    process.on('warning', listen)
    withDeadline(LONG, () => {
      for (let i = 0; i < 50; i++) currentSignal().addEventListener('abort', () => i)
    })
    await sleep(1)
    process.off('warning', listen)
    assert.deepEqual(warnings, [])
  })
})

describe('withDeadline', () => {
  it('gives and throws what the function does', async () => {
    const promise = Promise.resolve(7)
    assert.equal(
      withDeadline(LONG, () => promise),
      promise,
    )
    assert.throws(
      () =>
        withDeadline(LONG, () => {
          throw new TypeError('its own')
        }),
      new TypeError('its own'),
    )
    // What is late comes all the same.
    assert.equal(await withDeadline(0, async () => 'late'), 'late')
  })

  it('counts the nearest one', async () => {
    const name = await withDeadline(LONG, () =>
      withDeadline(1, () => withDeadline(LONG, async () => nameOf(await aborted(currentSignal())))),
    )
    assert.equal(name, 'TimeoutError')
    withDeadline(LONG, () => {
      const outer = currentSignal()
      withDeadline(2 * LONG, () => assert.equal(currentSignal(), outer))
      withDeadline(Number.POSITIVE_INFINITY, () => assert.equal(currentSignal(), outer))
      withDeadline(LONG / 2, () => assert.notEqual(currentSignal(), outer))
      assert.equal(currentSignal(), outer)
    })
  })

  it('holds in what a snapshot takes along, and no longer where one of nothing runs', () => {
    const snapshot = withDeadline(0, capture)
    assert.equal(currentSignal().aborted, false)
    assert.equal(
      snapshot.run(() => currentSignal().aborted),
      true,
    )
    withDeadline(0, () => Snapshot.ROOT.run(() => assert.equal(currentSignal().aborted, false)))
  })

  it('refuses what is no time', () => {
    for (const ms of [Number.NaN, '5', undefined, null]) {
      assert.throws(
        () => withDeadline(ms as number, () => {}),
        (error) => isThreadspanError(error) && error.code === 'THREADSPAN_INVALID_ARGUMENT',
      )
    }
    withDeadline(-1, () => assert.equal(currentSignal().aborted, true))
  })

  it('is longer than a timer can be', async () => {
    await withDeadline(2 ** 40, async () => {
      const signal = currentSignal()
      await sleep(5)
      assert.equal(signal.aborted, false)
    })
  })
})

describe('withSignal', () => {
  it('gives the very signal where it is all that limits', () => {
    const { signal } = new AbortController()
    withSignal(signal, () => assert.equal(currentSignal(), signal))
    withSignal(signal, () => withSignal(signal, () => assert.equal(currentSignal(), signal)))
  })

  it('aborts with any of them, for its reason', () => {
    for (const which of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()]
      withSignal(controllers[0]!.signal, () =>
        withDeadline(LONG, () =>
          withSignal(controllers[1]!.signal, () => {
            const signal = currentSignal()
            const heard: unknown[] = []
            signal.addEventListener('abort', () => heard.push(signal.reason))
            controllers[which]!.abort(`reason ${which}`)
            assert.deepEqual(heard, [`reason ${which}`])
            assert.equal(signal.reason, `reason ${which}`)
          }),
        ),
      )
    }
  })

  it('brings the deadline of the work that a signal is of', () => {
    const signal = withDeadline(0, currentSignal)
    withSignal(signal, () => assert.equal(currentSignal().aborted, true))
  })

  it('leaves the signal without listeners once nobody follows it', async () => {
    const { signal } = new AbortController()
    for (let i = 0; i < 100; i++) withSignal(signal, () => withDeadline(LONG, currentSignal))
    assert.equal(getEventListeners(signal, 'abort').length, 1)
    for (let i = 0; i < 100 && getEventListeners(signal, 'abort').length > 0; i++) {
      await sleep(10)
      gc()
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('keeps what somebody listens to', async () => {
    const controller = new AbortController()
    const heard: unknown[] = []
    withSignal(controller.signal, () =>
      withDeadline(LONG, () => {
        const signal = currentSignal()
        signal.addEventListener('abort', () => heard.push(signal.reason))
      }),
    )
    for (let i = 0; i < 5; i++) {
      await sleep(5)
      gc()
    }
    controller.abort('now')
    assert.deepEqual(heard, ['now'])
  })

  it('refuses what is no signal', () => {
    for (const signal of [undefined, null, {}, new EventTarget(), 'x']) {
      assert.throws(
        () => withSignal(signal as AbortSignal, () => {}),
        (error) => isThreadspanError(error) && error.code === 'THREADSPAN_INVALID_ARGUMENT',
      )
    }
  })
})

describe('a carrier', () => {
  it('holds what is left, and nothing where there is no deadline', () => {
    assert.deepEqual(capture().toCarrier(), {})
    const { deadline, ...rest } = withDeadline(LONG, () => capture().toCarrier())
    assert.ok(deadline! > 0 && deadline! <= LONG)
    assert.deepEqual(rest, {})
  })

  it('holds it as of the moment when it is read', () => {
    const carrier = JSON.parse(JSON.stringify(withDeadline(LONG, () => capture().toCarrier())))
    Snapshot.from(carrier).run(() => assert.equal(currentSignal().aborted, false))
    Snapshot.from({ deadline: -1 }).run(() => assert.equal(currentSignal().aborted, true))
    Snapshot.from({ deadline: 0 }, { remote: true }).run(() => assert.equal(currentSignal().aborted, true))
  })

  it('says that nothing is left where the work was given up', () => {
    const controller = new AbortController()
    controller.abort()
    const { deadline } = withSignal(controller.signal, () => capture().toCarrier())
    assert.equal(deadline, 0)
  })

  it('gives no limit where it is malformed, and counts that', () => {
    const count = (cause: string): number => counters().get(cause) ?? 0
    for (const deadline of ['5', Number.NaN, {}, null]) {
      const before = count('carrier.deadline')
      Snapshot.from({ deadline }).run(() => assert.equal(currentSignal().aborted, false))
      assert.equal(count('carrier.deadline'), before + 1)
    }
    const bad = [
      5,
      {},
      'x',
      '1:x:1',
      '-5x',
      '../../etc/passwd',

      ` ${'1,'.repeat(300)}`,
    ]
    for (const signal of bad) {
      const before = count('carrier.signal')
      Snapshot.from({ signal }).run(() => assert.equal(currentSignal().aborted, false))
      assert.equal(count('carrier.signal'), before + 1, String(signal))
    }
  })

  it('takes the limit along with a message', () => {
    const message = withDeadline(0, () => withCarrier({ job: 1 }))
    const handler = wrapHandler((received: unknown) => [received, currentSignal().aborted])
    assert.deepEqual(handler(structuredClone(message)), [{ job: 1 }, true])
  })
})

describe('calls that go out under a deadline', () => {
  // It begins an answer where it is asked to, and ends none.
  const server = http.createServer(({ url }, response) => {
    if (url === '/begun') response.write('begun')
    if (url === '/whole') response.end('whole')
  })
  let url = ''
  before(async () => {
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const get = (path: string, options = {}): Promise<string> =>
    new Promise((done, failed) => {
      http
        .get(url + path, options, (response) => {
          response
            .on('error', failed)
            .on('end', () => done('ended'))
            .resume()
        })
        .on('error', failed)
    })

  it('are aborted with the reason', async () => {
    const calls: Record<string, () => Promise<unknown>> = {
      fetch: () => fetch(url),
      'fetch with a body': async () => await (await fetch(`${url}/begun`)).text(),
      'fetch with a signal': () => fetch(url, { signal: new AbortController().signal }),
      'fetch of a Request': () => fetch(new Request(url)),
      http: () => get(''),
      'http with a body': () => get('/begun'),
      'http without an agent': () => get('', { agent: false }),
      undici: () => undiciRequest(url),
      'undici with a body': async () => await (await undiciRequest(`${url}/begun`)).body.text(),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(
        withDeadline(200, call),
        (error) => nameOf(error) === 'TimeoutError',
        `${name} under a deadline`,
      )
      await assert.rejects(
        withDeadline(-1, call),
        (error) => nameOf(error) === 'TimeoutError',
        `${name}, late`,
      )
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 100)
      await assert.rejects(
        withSignal(controller.signal, call),
        (error) => nameOf(error) === 'AbortError',
        `${name} under a signal`,
      )
    }
  })

  it('end with a reason that is no error, as one', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 20)
    await assert.rejects(
      withSignal(controller.signal, () => get('')),
      { name: 'AbortError', cause: 'enough' },
    )
    const other = new AbortController()
    setTimeout(() => other.abort('enough'), 20)
    await assert.rejects(
      withSignal(other.signal, () => fetch(url)),
      (error) => error === 'enough',
    )
  })

  it('go on as ever where they are in time, or under none', async () => {
    assert.equal(await withDeadline(LONG, () => get('/whole')), 'ended')
    assert.equal(await (await withDeadline(LONG, () => fetch(`${url}/whole`))).text(), 'whole')
    assert.equal(await (await fetch(`${url}/whole`)).text(), 'whole')
    const controller = new AbortController()
    const asked = withDeadline(LONG, () => fetch(url, { signal: controller.signal }))
    controller.abort('own')
    await assert.rejects(asked, (error) => error === 'own')
  })

  it('are refused in the same words', async () => {
    const messages = async (run: <T>(fn: () => T) => T): Promise<string[]> => {
      const found: string[] = []
      for (const args of [
        [],
        ['no url'],
        [url, 5],
        [url, { signal: 5 }],
        [url, { method: 'GET', body: 'x' }],
      ]) {
        const call = async () => await (fetch as (...all: unknown[]) => Promise<unknown>)(...args)
        found.push(await run(call).then(String, (error: Error) => `${error.name}: ${error.message}`))
      }
      return found
    }
    assert.deepEqual(await messages((fn) => withDeadline(LONG, fn)), await messages((fn) => fn()))
    assert.equal(fetch.name, 'fetch')
    assert.equal(fetch.length, 1)
  })

  it('are left alone where they are telemetry', async () => {
    const suppressed = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
    await withDeadline(0, () =>
      context.with(context.active().setValue(suppressed, true), async () => {
        assert.equal(await (await fetch(`${url}/whole`)).text(), 'whole')
        assert.equal(await get('/whole'), 'ended')
      }),
    )
  })
})

describe('a timer', () => {
  it('of a deadline keeps no process alive', async () => {
    const { runProgram } = await import('../support/program.js')
    const { code, stdout, stderr } = await runProgram('test/fixtures/deadlines/unref.mjs', {
      timeout: 30_000,
    })
    assert.deepEqual([code, stdout, stderr], [0, 'end\n', ''])
  })
})
