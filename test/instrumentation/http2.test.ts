import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http2, {
  type ClientHttp2Session,
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import https from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import fastify from 'fastify'
import { Agent, fetch } from 'undici'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`
const active = () => trace.getActiveSpan()?.spanContext().spanId

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

describe('HTTP/2 in a program that is not changed', () => {
  const [major] = process.versions.node.split('.').map(Number)
  for (const file of ['http2.cjs', 'http2.mjs']) {
    // Node 20 gives no sign as an ES module loads `node:http2`.
    const first = file === 'http2.mjs' && major! < 22 ? 'apart' : 'one trace'
    for (const how of ['member', 'named']) {
      test(`${file}, ${how}: requests are in the caller’s trace, the first: ${first}`, async () => {
        const { stdout, stderr } = await runProgram(fixture(`instrumentation/${file}`), {
          node: ['--require', PRELOAD],
          args: [how],
          env: { OTEL_TRACES_EXPORTER: 'none' },
        })
        assert.deepEqual([stdout, stderr], [`${first}\none trace\n`, ''])
      })
    }
  }
})

describe('HTTP/2', () => {
  let handler: Handler
  let listener: ((request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void) | undefined
  const server = http2.createServer()
  let session: ClientHttp2Session
  let port = 0
  let disable: () => void
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    if (listener === undefined) handler(stream, headers)
  })
  server.on('request', (request, response) => listener?.(request, response))

  before(async () => {
    disable = enableInstrumentations({ tracer })
    await tracer.startActiveSpan('listening', async (span) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
      session = http2.connect(`http://127.0.0.1:${port}`)
      span.end()
    })
    forget()
  })
  afterEach(() => {
    listener = undefined
    forget()
  })
  after(() => {
    session.close()
    server.close()
    disable()
  })

  /** Makes a request, and reads the response to its end. */
  async function get(headers: http2.OutgoingHttpHeaders | string[], body?: string): Promise<string> {
    const stream = session.request(headers as http2.OutgoingHttpHeaders)
    stream.end(body)
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk
    return text
  }
  const of = (kind: SpanKind) => {
    const found = spans().filter((span) => span.kind === kind)
    assert.equal(
      found.length,
      1,
      spans()
        .map(({ name }) => name)
        .join(),
    )
    return found[0]!
  }

  test('a request is a span of the client and a transaction of the server, in one trace', async () => {
    let seen: string | undefined
    handler = (stream) => {
      seen = active()
      stream.respond({ ':status': 201 })
      stream.end('made')
    }
    const text = await tracer.startActiveSpan('caller', async (span) => {
      const result = await get({ ':path': '/users/7?token=secret&q=1', ':method': 'POST' }, 'body')
      span.end()
      return result
    })
    assert.equal(text, 'made')
    await ended(3)
    const [client, served, caller] = [of(SpanKind.CLIENT), of(SpanKind.SERVER), byName('caller')]
    assert.equal(client.parentSpanContext?.spanId, caller.spanContext().spanId)
    assert.equal(served.parentSpanContext?.spanId, client.spanContext().spanId)
    assert.equal(served.spanContext().spanId, seen)
    const { 'network.peer.port': peer, ...attributes } = served.attributes
    assert.equal(typeof peer, 'number')
    assert.deepEqual(attributes, {
      'http.request.method': 'POST',
      'url.path': '/users/7',
      'url.query': 'token=REDACTED&q=1',
      'url.scheme': 'http',
      'network.protocol.version': '2',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'http.response.status_code': 201,
    })
    assert.deepEqual(client.attributes, {
      'http.request.method': 'POST',
      'url.full': `http://127.0.0.1:${port}/users/7?token=REDACTED&q=1`,
      'network.protocol.version': '2',
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
      'http.response.status_code': 201,
    })
    assert.deepEqual([client.name, served.name], ['POST', 'POST'])
  })

  test('listeners on the stream, the request and the response run in the request’s context', async () => {
    const told: unknown[] = []
    handler = (stream) => {
      const own = active()
      let body = ''
      stream.on('data', (chunk) => {
        body += chunk
        told.push(active() === own)
      })
      stream.on('end', () => {
        told.push(active() === own)
        stream.respond()
        stream.end(body)
      })
    }
    assert.equal(await get({ ':method': 'POST' }, 'by stream'), 'by stream')
    listener = (request, response) => {
      const own = active()
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
        told.push(active() === own)
      })
      request.on('end', () => {
        told.push(active() === own)
        response.on('finish', () => told.push(active() === own))
        response.end(body)
      })
    }
    assert.equal(await get({ ':method': 'POST' }, 'by request'), 'by request')
    await ended(4)
    assert.deepEqual(told, [true, true, true, true, true])
  })

  test('many at once on one connection keep apart, whoever opened it', async () => {
    handler = (stream, headers) => {
      setTimeout(() => {
        tracer.startSpan(`work ${headers[':path']}`).end()
        stream.respond()
        stream.end(String(active()))
      }, 5)
    }
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
    await Promise.all(
      paths.map((path) =>
        tracer.startActiveSpan(`caller ${path}`, async (span) => {
          await get({ ':path': path })
          span.end()
        }),
      ),
    )
    await ended(80)
    for (const path of paths) {
      const work = byName(`work ${path}`)
      assert.equal(work.spanContext().traceId, byName(`caller ${path}`).spanContext().traceId)
    }
  })

  test('what the caller sent as headers stays, and is not changed; a traceparent is replaced', async () => {
    handler = (stream, headers) => {
      stream.respond()
      stream.end(JSON.stringify(headers))
    }
    const given = Object.freeze({ ':path': '/', 'x-own': 'kept', traceparent: TRACEPARENT })
    const told = JSON.parse(await get(given))
    assert.equal(told['x-own'], 'kept')
    const client = of(SpanKind.CLIENT).spanContext()
    assert.equal(told.traceparent, `00-${client.traceId}-${client.spanId}-01`)
    assert.deepEqual(Object.keys(given), [':path', 'x-own', 'traceparent'])
  })

  test('a failed answer is an error of both; one that is not found is the client’s alone', async () => {
    for (const [status, server, client] of [
      [500, SpanStatusCode.ERROR, SpanStatusCode.ERROR],
      [404, SpanStatusCode.UNSET, SpanStatusCode.ERROR],
    ] as const) {
      handler = (stream) => stream.respond({ ':status': status }, { endStream: true })
      await get({ ':path': '/' })
      await ended(2)
      assert.deepEqual([of(SpanKind.SERVER).status.code, of(SpanKind.CLIENT).status.code], [server, client])
      assert.equal(of(SpanKind.CLIENT).attributes['error.type'], String(status))
      forget()
    }
  })

  test('a request that its caller cancels is no failure of anyone', async () => {
    handler = (stream) => {
      stream.respond()
      stream.write('some')
    }
    const stream = session.request({ ':path': '/events' })
    stream.once('data', () => stream.close(constants.NGHTTP2_CANCEL))
    await new Promise((resolve) => stream.on('close', resolve))
    await ended(2)
    assert.deepEqual(
      [of(SpanKind.SERVER), of(SpanKind.CLIENT)].map(({ status, attributes }) => [
        status.code,
        attributes['http.response.status_code'],
      ]),
      [
        [SpanStatusCode.UNSET, 200],
        [SpanStatusCode.UNSET, 200],
      ],
    )
  })

  test('a stream that the server resets, and a connection that cannot be made, fail', async () => {
    handler = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    await assert.rejects(get({ ':path': '/' }))
    await ended(2)
    assert.equal(of(SpanKind.CLIENT).status.code, SpanStatusCode.ERROR)
    assert.equal(of(SpanKind.SERVER).status.code, SpanStatusCode.ERROR)
    forget()
    const unused = createServer()
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve))
    const { port } = unused.address() as AddressInfo
    await new Promise((resolve) => unused.close(resolve))
    const other = http2.connect(`http://127.0.0.1:${port}`)
    other.on('error', () => {})
    const stream = other.request({ ':path': '/' })
    stream.on('error', () => {})
    await ended(1)
    assert.equal(of(SpanKind.CLIENT).attributes['error.type'], 'ECONNREFUSED')
  })

  test('what Node refuses is refused in its own words, and the span ends', async () => {
    assert.throws(() => session.request({ connection: 'keep-alive' }), {
      code: 'ERR_HTTP2_INVALID_CONNECTION_HEADERS',
    })
    assert.throws(() => session.request(7 as never), { code: 'ERR_INVALID_ARG_TYPE' })
    await ended(1)
    assert.equal(of(SpanKind.CLIENT).attributes['error.type'], 'ERR_HTTP2_INVALID_CONNECTION_HEADERS')
  })

  test('whatever a caller gives for headers, Node’s word on it is the same', async () => {
    const strange: (() => unknown)[] = [
      () => null,
      () => [1, 2],
      () => [':path', Symbol('no text')],
      () => ({ ':path': Object.create(null) }),
      () => ({ ':method': Symbol('no text') }),
      () => ({ ':authority': { toString: () => 7 } }),
      () => Object.defineProperty({}, 'x', { enumerable: true, get: () => assert.fail('no value') }),
      () => new Proxy({}, { ownKeys: () => assert.fail('no keys') }),
    ]
    handler = (stream) => stream.respond({}, { endStream: true })
    const told = (headers: unknown): string => {
      try {
        const stream = session.request(headers as never)
        stream.on('error', () => {})
        stream.close()
        return 'made'
      } catch (error) {
        return `${(error as NodeJS.ErrnoException).code}: ${(error as Error).message}`
      }
    }
    const followed = strange.map((make) => told(make()))
    disable()
    assert.deepEqual(
      followed,
      strange.map((make) => told(make())),
    )
    disable = enableInstrumentations({ tracer })
  })

  test('headers that are to be in no table stay so, in both forms', async () => {
    const symbol = http2.sensitiveHeaders
    const told: unknown[] = []
    handler = (stream, headers) => {
      if (headers[':path'] === '/secret') told.push((headers as Record<symbol, unknown>)[symbol])
      stream.respond({}, { endStream: true })
    }
    await get({ ':path': '/secret', secret: 'b', [symbol]: ['secret'] } as never)
    const list = Object.assign([':path', '/secret', ':method', 'GET', 'secret', 'b'], {
      [symbol]: ['secret'],
    })
    // Lists are taken by Node 24 and later.
    const [major] = process.versions.node.split('.').map(Number)
    if (major! >= 24) await get(list)
    assert.deepEqual(told, major! >= 24 ? [['secret'], ['secret']] : [['secret']])
  })

  test('a connection is told by an object as by a URL', async () => {
    handler = (stream) => stream.respond({}, { endStream: true })
    const authority = { protocol: 'http:', hostname: '127.0.0.1', port: String(port) }
    const other = http2.connect(authority as unknown as URL)
    const stream = other.request({ ':path': '/by-object' })
    await new Promise((resolve) => stream.resume().on('close', resolve))
    other.close()
    await ended(2)
    assert.equal(of(SpanKind.CLIENT).attributes['url.full'], `http://127.0.0.1:${port}/by-object`)
  })

  test('turned off nothing is told, and turned on again everything is', async () => {
    handler = (stream) => stream.respond({}, { endStream: true })
    disable()
    await get({ ':path': '/off' })
    assert.deepEqual(spans(), [])
    disable = enableInstrumentations({ tracer })
    await get({ ':path': '/on' })
    await ended(2)
    assert.equal(of(SpanKind.SERVER).parentSpanContext?.spanId, of(SpanKind.CLIENT).spanContext().spanId)
  })

  test('a framework on it names the transaction by its route', async () => {
    const app = fastify({ http2: true })
    app.get('/users/:id', async () => 'ok')
    const other = http2.connect(await app.listen({ port: 0, host: '127.0.0.1' }))
    const stream = other.request({ ':path': '/users/7' })
    await new Promise((resolve) => stream.resume().on('close', resolve))
    other.close()
    await app.close()
    await ended(2)
    assert.equal(of(SpanKind.SERVER).name, 'GET /users/:id')
    assert.equal(of(SpanKind.SERVER).attributes['http.route'], '/users/:id')
  })

  describe('over TLS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-h2-'))
    let secure: http2.Http2SecureServer
    let url = ''
    before(async () => {
      const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem']
      execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=localhost', '-days', '2'], {
        cwd: folder,
        stdio: 'ignore',
      })
      secure = http2.createSecureServer(
        {
          allowHTTP1: true,
          key: readFileSync(join(folder, 'key.pem')),
          cert: readFileSync(join(folder, 'cert.pem')),
        },
        (request, response) => {
          let body = ''
          request.on('data', (chunk) => {
            body += chunk
          })
          request.on('end', () => response.end(`${request.httpVersion} ${active()}${body}`))
        },
      )
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
      url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`
    })
    after(() => {
      secure.close()
      rmSync(folder, { recursive: true })
    })
    const inOneTrace = async (version: string, text: string) => {
      await ended(2)
      const [client, served] = [of(SpanKind.CLIENT), of(SpanKind.SERVER)]
      assert.equal(served.parentSpanContext?.spanId, client.spanContext().spanId)
      assert.equal(served.attributes['network.protocol.version'], version.replace('.0', ''))
      assert.equal(text, `${version} ${served.spanContext().spanId}`)
    }

    test('a client of HTTP/1.1 is served by the same server, once', async () => {
      const text = await new Promise<string>((resolve, reject) => {
        https
          .get(url, { rejectUnauthorized: false, agent: false }, (response) => {
            let body = ''
            response.on('data', (chunk) => {
              body += chunk
            })
            response.on('end', () => resolve(body))
          })
          .on('error', reject)
      })
      await inOneTrace('1.1', text)
    })

    test('a client of HTTP/2', async () => {
      const other = http2.connect(url, { rejectUnauthorized: false })
      const stream = other.request({ ':path': '/' })
      let text = ''
      for await (const chunk of stream.setEncoding('utf8')) text += chunk
      other.close()
      await inOneTrace('2.0', text)
    })

    test('undici’s own connection has undici’s span, and no other', async () => {
      const agent = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } })
      const response = await fetch(url, { dispatcher: agent })
      const text = await response.text()
      await agent.close()
      await inOneTrace('2.0', text)
      assert.equal(of(SpanKind.CLIENT).attributes['url.full'], url)
    })
  })
})
