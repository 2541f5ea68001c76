import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { finished, PassThrough, pipeline, Transform } from 'node:stream'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { forget, tracer } from './setup.js'

const current = () => trace.getActiveSpan()?.spanContext().spanId

/** Where things ran, against where they should have. */
class Seen {
  readonly wrong: string[] = []
  readonly names = new Set<string>()
  constructor(private readonly own = current()) {}
  here(name: string): void {
    this.names.add(name)
    if (this.own === undefined || current() !== this.own) this.wrong.push(name)
  }
  note(name: string): () => void {
    return () => this.here(name)
  }
}

let handler: (request: http.IncomingMessage, response: http.ServerResponse, seen: Seen) => void
const all: Seen[] = []
const server = http.createServer((request, response) => {
  const seen = new Seen()
  all.push(seen)
  handler(request, response, seen)
})
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
let port = 0
let disable: () => void

/** Sends a body in several packets. */
async function post(...parts: string[]): Promise<string> {
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent })
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
  for (const part of parts) {
    request.write(part)
    await sleep(5)
  }
  request.end()
  let text = ''
  for await (const chunk of (await answered)[0]) text += String(chunk)
  return text
}

describe('listeners on requests and responses', () => {
  before(async () => {
    disable = enableInstrumentations({ tracer })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => {
    forget()
    for (const { wrong } of all.splice(0)) assert.deepEqual(wrong, [])
  })
  after(() => {
    disable()
    agent.destroy()
    server.close()
    server.closeAllConnections()
  })

  test('run in their request, over one connection, in however many packets, added in every way', async () => {
    handler = (request, response, seen) => {
      request.on('data', seen.note('data'))
      request.addListener('data', seen.note('addListener'))
      request.prependListener('data', seen.note('prependListener'))
      request.once('data', seen.note('once'))
      request.prependOnceListener('data', seen.note('prependOnceListener'))
      request.on('end', () => {
        seen.here('end')
        response.end('ok')
      })
      request.on('close', seen.note('request close'))
      response.on('finish', seen.note('finish')).on('close', seen.note('response close'))
    }
    for (const parts of [['a'], ['a', 'b'], ['c', 'd', 'e']]) assert.equal(await post(...parts), 'ok')
    await sleep(5)
    assert.equal(all.length, 3)
    for (const { names } of all) assert.equal(names.size, 9)
  })

  test('also on streams that the body is piped into, and by pipeline and finished', async () => {
    handler = (request, response, seen) => {
      const parser = new PassThrough()
      parser.on('data', seen.note('piped data')).on('end', seen.note('piped end'))
      request.pipe(parser)
      finished(request, seen.note('finished'))
      const upper = new Transform({
        transform(chunk: Buffer, _, done) {
          seen.here('transform')
          done(null, String(chunk).toUpperCase())
        },
      })
      pipeline(request, upper, response, seen.note('pipeline'))
    }
    assert.equal(await post('a', 'b'), 'AB')
    await sleep(5)
    assert.equal(all[0]!.names.size, 5)
  })

  test('are found by their originals, and leave as they came', async () => {
    handler = (request, response) => {
      const listener = (): void => assert.fail('it was taken out')
      const added: unknown[] = []
      request.on('newListener', (_, added1) => added.push(added1))
      const before = request.listenerCount('data')
      request.on('data', listener).once('data', listener)
      assert.equal(request.listenerCount('data'), before + 2)
      assert.equal(request.listenerCount('data', listener), 2)
      assert.deepEqual(request.listeners('data').slice(-2), [listener, listener])
      assert.deepEqual(added, [listener, listener])
      request.off('data', listener).removeListener('data', listener)
      assert.equal(request.listenerCount('data'), before)
      assert.deepEqual(
        Object.keys(request).filter((key) => key === 'on'),
        [],
      )
      request.resume().on('end', () => response.end('ok'))
    }
    assert.equal(await post('a'), 'ok')
  })

  test('on a connection that was upgraded run where they were added', async () => {
    const listened = new Promise<[string | undefined, string | undefined]>((resolve) => {
      server.once('upgrade', (_request: http.IncomingMessage, socket: Socket) => {
        tracer.startActiveSpan('upgraded', (span) => {
          const here = current()
          socket.once('data', () => {
            resolve([here, current()])
            socket.destroy()
          })
          span.end()
        })
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
      })
    })
    const client = connect(port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    client.once('data', () => client.write('hello'))
    const [added, ran] = await listened
    assert.equal(ran, added)
    client.destroy()
  })

  test('of every event and by every method, though Node gives such a connection its class’s methods back', async () => {
    for (const [kind, start] of [
      ['upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
      ['connect', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ] as const) {
      const closed = new Promise<Seen>((resolve) => {
        server.once(kind, (_request: http.IncomingMessage, socket: Socket) => {
          tracer.startActiveSpan('upgraded', (span) => {
            const seen = new Seen()
            const gone = (): void => assert.fail('it was taken out')
            const piped = new PassThrough().on('data', seen.note('piped'))
            socket.prependListener('data', seen.note('prepended'))
            socket.on('data', gone).on('data', seen.note('data')).addListener('data', seen.note('added'))
            socket.off('data', gone).pipe(piped)
            socket.once('end', () => {
              seen.here('end')
              socket.end()
            })
            socket.on('finish', seen.note('finish'))
            socket.on('close', () => {
              seen.here('close')
              resolve(seen)
            })
            span.end()
          })
          socket.write('ready')
        })
      })
      const client = connect(port, '127.0.0.1')
      client.write(start)
      client.once('data', () => client.end('hello')).resume()
      const { names, wrong } = await closed
      assert.deepEqual(wrong, [], kind)
      assert.equal(names.size, 7, kind)
      server.removeAllListeners(kind)
    }
  })

  test('of the client run in what made the call, though the connection is another call’s', async () => {
    handler = (request, response) => request.resume().on('end', () => response.end('some body'))
    const call = (name: string) =>
      tracer.startActiveSpan(name, async (span) => {
        const seen = new Seen()
        all.push(seen)
        await new Promise<void>((resolve) => {
          const request = http.request({ port, host: '127.0.0.1', agent, method: 'POST' })
          request.on('socket', seen.note('socket')).on('finish', seen.note('finish'))
          request.once('response', (response) => {
            seen.here('response')
            response.on('data', seen.note('data')).on('end', () => {
              seen.here('end')
              resolve()
            })
          })
          request.end('x')
        })
        assert.equal(seen.names.size, 5)
        span.end()
      })
    await Promise.all(['one', 'two', 'three'].map(call))
  })

  test('methods of the classes are as before once it is turned off', () => {
    const looks = () =>
      [http.IncomingMessage, http.ServerResponse, http.ClientRequest].map(({ prototype }) =>
        Object.getOwnPropertyNames(prototype).filter((name) => name in EventEmitter.prototype),
      )
    assert.ok(looks()[0]!.includes('on'))
    disable()
    assert.deepEqual(looks(), [['constructor'], ['constructor'], ['constructor']])
    disable = enableInstrumentations({ tracer })
  })
})
