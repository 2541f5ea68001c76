import assert from 'node:assert/strict'
import http from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { currentTransaction } from '#dist/context/transaction.js'

import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`

let handler: http.RequestListener = (_, response) => response.end()
const server = http.createServer((request, response) => handler(request, response))
let port = 0
let disable: () => void

/** Sends bytes over a connection of its own, so that the only spans are those of the server. */
function raw(text: string, until = (received: string) => received.includes('\r\n\r\n')): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk
      if (until(received)) socket.destroy()
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

const get = (path: string, headers = '') =>
  raw(`GET ${path} HTTP/1.1\r\nHost: shop.example:8080\r\n${headers}\r\n`)

describe('HTTP server', () => {
  before(async () => {
    disable = enableInstrumentations({ tracer })
    await tracer.startActiveSpan('listening', async (span) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      span.end()
    })
    port = (server.address() as AddressInfo).port
    forget()
  })
  afterEach(forget)
  after(() => {
    disable()
    server.close()
  })

  test('a request is a transaction that continues the trace of its headers', async () => {
    let id: string | undefined
    handler = async (_, response) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      id = currentTransaction()?.id
      tracer.startSpan('inner').end()
      response.statusCode = 201
      response.end('x')
    }
    await get('/users/7?q=1&token=secret', `traceparent: ${TRACEPARENT}\r\nUser-Agent: tests\r\n`)
    await ended(2)
    const span = byName('GET')
    assert.equal(span.kind, SpanKind.SERVER)
    assert.equal(span.spanContext().traceId, TRACE)
    assert.equal(span.parentSpanContext?.spanId, PARENT)
    assert.equal(span.parentSpanContext?.isRemote, true)
    assert.equal(id, span.spanContext().spanId)
    assert.equal(byName('inner').parentSpanContext?.spanId, id)
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    const { 'network.peer.port': peerPort, ...attributes } = span.attributes
    assert.equal(typeof peerPort, 'number')
    assert.deepEqual(attributes, {
      'http.request.method': 'GET',
      'url.path': '/users/7',
      'url.query': 'q=1&token=REDACTED',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'server.address': 'shop.example',
      'server.port': 8080,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'user_agent.original': 'tests',
      'http.response.status_code': 201,
    })
  })

  test('a request without headers of a trace is a root, also where listen was called inside a span', async () => {
    handler = (_, response) => response.end()
    await get('/')
    await ended(1)
    assert.equal(byName('GET').parentSpanContext, undefined)
  })

  test('a malformed traceparent is a root, not an error', async () => {
    await get('/', 'traceparent: 00-zz-1-01\r\n')
    await ended(1)
    assert.equal(byName('GET').parentSpanContext, undefined)
  })

  test('requests on one connection do not see each other', async () => {
    const seen: (string | undefined)[] = []
    const inTimers: Promise<void>[] = []
    handler = (_, response) => {
      seen.push(currentTransaction()?.id)
      inTimers.push(
        new Promise((resolve) =>
          setTimeout(() => {
            seen.push(currentTransaction()?.id)
            resolve()
          }, 20),
        ),
      )
      response.end()
    }
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    await raw(one + one + one, (received) => received.split('HTTP/1.1 200').length === 4)
    await Promise.all(inTimers)
    const ids = (await ended(3)).map((span) => span.spanContext().spanId)
    assert.equal(new Set(ids).size, 3)
    assert.deepEqual(seen.slice(0, 3), ids)
    assert.deepEqual(seen.slice(3).sort(), [...ids].sort())
    assert.ok(spans().every((span) => span.parentSpanContext === undefined))
    assert.equal(trace.getSpan(context.active()), undefined)
  })

  test('5xx is an error, 4xx is not', async () => {
    for (const status of [404, 503]) {
      handler = (_, response) => response.writeHead(status).end()
      await get('/')
      await ended(1)
      const span = byName('GET')
      assert.equal(span.attributes['http.response.status_code'], status)
      assert.equal(span.status.code, status === 404 ? SpanStatusCode.UNSET : SpanStatusCode.ERROR)
      assert.equal(span.attributes['error.type'], status === 404 ? undefined : '503')
      forget()
    }
  })

  test('a request that its client gives up ends the span, and is no failure of the service', async () => {
    let closed: Promise<unknown> | undefined
    const arrived = new Promise<void>((resolve) => {
      handler = (_, response) => {
        closed = new Promise((done) => response.on('close', done))
        resolve()
      }
    })
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    await arrived
    socket.destroy()
    await closed
    await ended(1)
    const span = byName('GET')
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.equal(span.attributes['error.type'], undefined)
    assert.equal(span.attributes['http.response.status_code'], undefined)
  })

  test('a stream that its client closes is no failure, one that the handler destroys by an error is', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const timer = setInterval(() => response.write('data: x\n\n'), 1)
      response.on('close', () => clearInterval(timer))
    }
    await raw('GET / HTTP/1.1\r\nHost: a\r\n\r\n', (text) => text.includes('data: x'))
    await ended(1)
    assert.equal(byName('GET').status.code, SpanStatusCode.UNSET)
    assert.equal(byName('GET').attributes['http.response.status_code'], 200)
    forget()
    handler = (_, response) => {
      response.on('error', () => {})
      response.destroy(new RangeError('no'))
    }
    await raw('GET / HTTP/1.1\r\nHost: a\r\n\r\n', () => false)
    await ended(1)
    assert.equal(byName('GET').attributes['error.type'], 'RangeError')
  })

  test('a response that the handler breaks off ends the span, with the status that was sent', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('12345', () => response.destroy())
    }
    await raw('GET / HTTP/1.1\r\nHost: a\r\n\r\n', () => false)
    await ended(1)
    const span = byName('GET')
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    assert.equal(span.attributes['http.response.status_code'], 200)
  })

  test('methods: known ones name the span, others are _OTHER', async () => {
    handler = (_, response) => response.end()
    await raw('PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n')
    await ended(1)
    const { attributes } = byName('HTTP')
    assert.equal(attributes['http.request.method'], '_OTHER')
    assert.equal(attributes['http.request.method_original'], 'PROPFIND')
  })

  test('proxies tell of the original request', async () => {
    await get('/', 'Forwarded: for="[2001:db8::7]:47011";proto=HTTPS;host=public.example, for=10.0.0.1\r\n')
    await ended(1)
    const { attributes } = byName('GET')
    assert.equal(attributes['client.address'], '2001:db8::7')
    assert.equal(attributes['url.scheme'], 'https')
    assert.equal(attributes['server.address'], 'public.example')
    forget()
    await get(
      '/',
      'X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example:444\r\n',
    )
    await ended(1)
    const { attributes: other } = byName('GET')
    assert.equal(other['client.address'], '192.0.2.1')
    assert.equal(other['url.scheme'], 'https')
    assert.equal(other['server.address'], 'b.example')
    assert.equal(other['server.port'], 444)
  })

  test('checkContinue and upgrade listeners run in the context of the request', async () => {
    let inContinue: string | undefined
    let inUpgrade: string | undefined
    const onContinue: http.RequestListener = (_, response) => {
      inContinue = currentTransaction()?.id
      response.writeContinue()
      response.end()
    }
    server.on('checkContinue', onContinue)
    await get('/', 'Expect: 100-continue\r\n')
    server.off('checkContinue', onContinue)
    await ended(1)
    assert.equal(inContinue, byName('GET').spanContext().spanId)
    forget()
    // The first that its server ever gets: no request was announced before.
    const upgrading = http.createServer()
    upgrading.once('upgrade', (_, socket) => {
      inUpgrade = trace.getSpanContext(context.active())?.traceId
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    })
    await new Promise<void>((resolve) => upgrading.listen(0, '127.0.0.1', resolve))
    const watchedPort = port
    port = (upgrading.address() as AddressInfo).port
    await get('/', `Connection: Upgrade\r\nUpgrade: x\r\ntraceparent: ${TRACEPARENT}\r\n`)
    port = watchedPort
    upgrading.close()
    assert.equal(inUpgrade, TRACE)
    assert.deepEqual(spans(), [])
  })

  test("Express's route names the transaction", async () => {
    handler = (request, response) => {
      Object.assign(request, { baseUrl: '/api', route: { path: '/users/:id' } })
      response.end()
    }
    await get('/api/users/7')
    await ended(1)
    assert.equal(byName('GET /api/users/:id').attributes['http.route'], '/api/users/:id')
  })

  test('half of a route, which is what Express leaves where a handler has failed, names nothing', async () => {
    handler = (request, response) => {
      Object.assign(request, { baseUrl: '', route: { path: '/:id' }, originalUrl: '/api/users/7?x=/y' })
      response.statusCode = 500
      response.end()
    }
    await get('/api/users/7?x=/y')
    await ended(1)
    assert.equal(byName('GET').attributes['http.route'], undefined)
  })

  test('objects of the application look as they do without us', async () => {
    const bare: Record<string, unknown> = {}
    const look = (seen: Record<string, unknown>) => {
      handler = (request, response) => {
        // Node keeps the peer's address on the socket once somebody has asked for it, as we do.
        assert.equal(request.socket.remoteAddress, '127.0.0.1')
        for (const [name, emitter] of Object.entries({ server, request, response, socket: request.socket })) {
          const events = emitter
            .eventNames()
            .map((event) => `${String(event)} ${emitter.listenerCount(event)}`)
          seen[name] = { events, keys: Object.keys(emitter).sort() }
        }
        response.end()
      }
    }
    disable()
    look(bare)
    const plain = http.createServer((request, response) => handler(request, response))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const watchedPort = port
    port = (plain.address() as AddressInfo).port
    await get('/')
    port = watchedPort
    plain.close()
    disable = enableInstrumentations({ tracer })
    const seen: Record<string, unknown> = {}
    look(seen)
    await get('/')
    await ended(1)
    assert.deepEqual(seen, bare)
  })

  test("an emit of the application's own is still called", async () => {
    const own = http.createServer((_, response) => response.end())
    const events: unknown[] = []
    own.emit = (...args: unknown[]) => {
      events.push(args[0])
      return Reflect.apply(http.Server.prototype.emit, own, args)
    }
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
    const watchedPort = port
    port = (own.address() as AddressInfo).port
    await get('/')
    port = watchedPort
    own.close()
    await ended(1)
    assert.ok(events.includes('request'))
  })
})
