import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { context, createContextKey, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { dist } from '../support/dist.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

const received: http.IncomingMessage[] = []
const listener: http.RequestListener = (request, response) => {
  received.push(request)
  request.resume()
  if (request.url === '/hang') return
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': 100 })
    response.write('x', () => setTimeout(() => request.socket.destroy(), 20))
    return
  }
  if (request.url === '/endless') {
    response.writeHead(200, { 'content-length': 100 }).write('x')
    return
  }
  response.statusCode = request.url === '/404' ? 404 : 200
  response.end('body')
}
const server = http.createServer(listener)
const identity = { psk: Buffer.alloc(32, 7), identity: 'test' }
const secureServer = https.createServer(
  { pskCallback: () => identity.psk, ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2' },
  listener,
)
let base = ''
let port = 0
let securePort = 0
let disable: () => void

/** The headers that the server got, of which exactly one is a traceparent. */
function traceparent(): string {
  const { rawHeaders } = received.at(-1)!
  const found = rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'traceparent' && i % 2 === 1)
  assert.equal(found.length, 1, String(rawHeaders))
  return found[0]!
}

function body(request: http.ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.on('error', reject)
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
  })
}

function clientSpan() {
  const found = spans().filter(({ kind }) => kind === SpanKind.CLIENT)
  assert.equal(found.length, 1)
  return found[0]!
}

function assertSent() {
  const { traceId, spanId } = clientSpan().spanContext()
  assert.equal(traceparent(), `00-${traceId}-${spanId}-01`)
}

describe('HTTP client', () => {
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => secureServer.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    securePort = (secureServer.address() as AddressInfo).port
    base = `http://127.0.0.1:${port}`
    disable = enableInstrumentations({ tracer })
    // The servers' own spans are not looked at here.
    disable()
    disable = enableInstrumentations({ tracer, disabled: ['undici'] })
  })
  afterEach(() => {
    forget()
    received.length = 0
  })
  after(() => {
    disable()
    server.close()
    server.closeAllConnections()
    secureServer.close()
    secureServer.closeAllConnections()
  })

  test('a request is a CLIENT span under the active one, told to the server', async () => {
    await tracer.startActiveSpan('parent', async (parent) => {
      assert.equal(await body(http.get(`${base}/a?sig=x&b=1`)), 'body')
      parent.end()
    })
    const span = clientSpan()
    assertSent()
    assert.equal(span.name, 'GET')
    assert.equal(span.parentSpanContext?.spanId, byName('parent').spanContext().spanId)
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.full': `${base}/a?sig=REDACTED&b=1`,
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
    })
  })

  test('the server continues the trace in the same process', async () => {
    await body(http.get(base))
    await ended(2)
    const [one, two] = spans()
    const [client, remote] = one!.kind === SpanKind.CLIENT ? [one!, two!] : [two!, one!]
    assert.equal(remote.parentSpanContext?.spanId, client.spanContext().spanId)
  })

  test('https, with the URL that was asked for', async () => {
    const request = https.get({
      host: '127.0.0.1',
      port: securePort,
      path: '/s',
      ciphers: 'PSK+HIGH',
      maxVersion: 'TLSv1.2',
      pskCallback: () => identity,
      checkServerIdentity: () => undefined,
      agent: false,
    } as https.RequestOptions)
    await body(request)
    assertSent()
    assert.equal(clientSpan().attributes['url.full'], `https://127.0.0.1:${securePort}/s`)
  })

  test('headers given as a list, and a client that waits for 100-continue', async () => {
    await body(http.get(base, { headers: ['Host', `127.0.0.1:${port}`, 'X-A', 'b'] as never }))
    assertSent()
    assert.equal(clientSpan().attributes['server.port'], port)
    assert.equal(received[0]!.headers['x-a'], 'b')
    forget()
    const request = http.request(base, {
      method: 'PUT',
      headers: { Expect: '100-continue', 'Content-Length': 1 },
    })
    request.on('continue', () => request.end('x'))
    await body(request)
    assertSent()
  })

  test('a body that is written over time, on connections that are reused', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 2; i++) {
      const request = http.request(base, { method: 'POST', agent })
      request.write('a')
      setTimeout(() => request.end('b'), 20)
      await body(request)
      assertSent()
      forget()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    agent.destroy()
  })

  test("no agent, but the caller's own connection", async () => {
    const { connect } = await import('node:net')
    await body(http.get({ host: '127.0.0.1', port, createConnection: () => connect(port, '127.0.0.1') }))
    assertSent()
    assert.equal(clientSpan().attributes['server.port'], port)
  })

  test('a traceparent that the caller set is replaced', async () => {
    await body(
      http.get(base, { headers: { TraceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } }),
    )
    assertSent()
    forget()
    await body(http.get(base, { headers: ['Host', 'x', 'TraceParent', '00-1'] as never }))
    assertSent()
  })

  test('4xx is an error on this side', async () => {
    await body(http.get(`${base}/404`))
    assert.equal(clientSpan().status.code, SpanStatusCode.ERROR)
    assert.equal(clientSpan().attributes['error.type'], '404')
  })

  test('a refused connection, a request given up, a response cut off', async () => {
    const free = createNetServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const { port: closed } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    await assert.rejects(body(http.get(`http://127.0.0.1:${closed}`)))
    assert.equal(clientSpan().attributes['error.type'], 'ECONNREFUSED')
    assert.equal(clientSpan().status.code, SpanStatusCode.ERROR)
    assert.equal(clientSpan().events[0]?.name, 'exception')
    forget()

    await assert.rejects(body(http.get(`${base}/hang`, { signal: AbortSignal.timeout(30) })))
    assert.ok(['ABORT_ERR', 'ECONNRESET'].includes(String(clientSpan().attributes['error.type'])))
    forget()

    await assert.rejects(body(http.get(`${base}/cut`)))
    const cut = clientSpan()
    assert.equal(cut.attributes['http.response.status_code'], 200)
    assert.equal(cut.attributes['error.type'], 'aborted')
    assert.equal(cut.status.code, SpanStatusCode.ERROR)
  })

  test('a request that is destroyed while its response comes: on purpose no failure, with an error that one', async () => {
    const cause = new RangeError('too slow')
    for (const error of [undefined, cause]) {
      await new Promise<void>((resolve) => {
        const request = http.get(`${base}/endless`, (response) => {
          response.on('error', () => {}).on('close', resolve)
          response.once('data', () => request.destroy(error))
        })
        request.on('error', () => {})
      })
      await ended(2)
      const { status, events, attributes } = clientSpan()
      assert.equal(attributes['http.response.status_code'], 200)
      assert.equal(status.code, error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR)
      assert.equal(attributes['error.type'], error === undefined ? undefined : 'RangeError')
      assert.equal(events.length, error === undefined ? 0 : 1)
      forget()
    }
  })

  test('the span lasts until the end of the body, and its listeners run outside it', async () => {
    const request = http.get(base)
    let endedEarly = -1
    await new Promise<void>((resolve) => {
      request.on('response', (response) => {
        endedEarly = spans().filter(({ kind }) => kind === SpanKind.CLIENT).length
        response.resume().on('end', resolve)
      })
    })
    assert.equal(endedEarly, 0)
    clientSpan()
  })

  test('what an SDK suppresses makes no span and sends no header', async () => {
    const key = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
    await context.with(context.active().setValue(key, true), () => body(http.get(base)))
    assert.equal(received[0]!.headers['traceparent'], undefined)
    assert.equal(spans().filter(({ kind }) => kind === SpanKind.CLIENT).length, 0)
  })

  test('request and response look as they do without us', async () => {
    const looks: unknown[] = []
    for (const on of [true, false]) {
      if (!on) disable()
      await new Promise<void>((resolve) => {
        const request = http.get(base, { agent: false })
        request.on('response', (response) => {
          const events = [request, response].map((emitter) =>
            emitter.eventNames().map((event) => `${String(event)} ${emitter.listenerCount(event)}`),
          )
          looks.push({ events, keys: Object.keys(response).sort(), requestKeys: Object.keys(request).sort() })
          response.resume().on('end', resolve)
        })
      })
    }
    disable = enableInstrumentations({ tracer, disabled: ['undici'] })
    assert.deepEqual(looks[0], looks[1])
  })

  test('the URL tells where the request went, not what a Host header that was passed on says', async () => {
    await body(http.get({ host: 'localhost', port, path: '/a', headers: { host: 'localhost:9' }, family: 4 }))
    await ended(1)
    assert.equal(clientSpan().attributes['url.full'], `http://localhost:${port}/a`)
    assert.equal(clientSpan().attributes['server.port'], port)
  })

  test('OPTIONS * has the URL of the server', async () => {
    await body(http.request(`${base}/`, { method: 'OPTIONS', path: '*' }).end())
    await ended(1)
    assert.equal(clientSpan().attributes['url.full'], base)
  })

  test('CONNECT asks for no resource and has no URL', async () => {
    const request = http.request({ host: '127.0.0.1', port, method: 'CONNECT', path: 'api.test:443' }).end()
    await new Promise((resolve) => request.on('error', resolve).on('connect', resolve))
    await ended(1)
    assert.equal(clientSpan().attributes['url.full'], undefined)
  })

  test('a request that throws while it is made leaves no span open, and throws what it threw', async () => {
    class Refusing extends http.Agent {
      override createConnection(): never {
        throw new TypeError('no connection')
      }
    }
    let started = 0
    const counting = { ...tracer, startSpan: tracer.startSpan.bind(tracer) } as typeof tracer
    counting.startSpan = (...args) => {
      started++
      return tracer.startSpan(...args)
    }
    disable()
    disable = enableInstrumentations({ tracer: counting })
    assert.throws(() => http.get({ port: 70_000 }), { code: 'ERR_SOCKET_BAD_PORT' })
    assert.throws(() => http.get({ agent: new Refusing(), port }), /no connection/)
    assert.throws(() => http.get({ port, path: '/a b' }), { code: 'ERR_UNESCAPED_CHARACTERS' })
    await ended(started)
    for (const span of spans()) assert.equal(span.status.code, SpanStatusCode.ERROR)
  })
})

const fixtures = fileURLToPath(new URL('../../../test/fixtures/instrumentation/', import.meta.url))

describe('HTTP client, loaded later', () => {
  for (const script of ['first-http.cjs', 'first-http.mjs', 'first-https.mjs', 'first-worker.mjs']) {
    test(`${script}: nothing is loaded in advance, and the first request is seen`, () => {
      const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', `${fixtures}${script}`], {
        encoding: 'utf8',
        env: {
          ...process.env,
          INSTRUMENTATION: dist('instrumentation/index.js'),
          MANAGER: dist('context/manager.js'),
        },
      })
      assert.equal(stderr, '')
      assert.deepEqual(JSON.parse(stdout), {
        loadedInAdvance: [],
        channelRestored: true,
        streamedHeader: true,
        spans: ['POST'],
      })
    })
  }
})
