import assert from 'node:assert/strict'
import http2, {
  type ClientHttp2Session,
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { dist } from '../support/dist.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

const { enableInstrumentations } = (await import(
  dist('instrumentation/index.js')
)) as typeof import('../../src/instrumentation/index.js')

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`
const active = () => trace.getActiveSpan()?.spanContext().spanId

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

describe('HTTP/2 in a program that is not changed', () => {
  const [major] = process.versions.node.split('.').map(Number)
  for (const file of ['http2.cjs', 'http2.mjs']) {
    for (const how of ['member', 'named']) {
      // Node 20 gives no sign as an ES module loads `node:http2`.
      if (file === 'http2.mjs' && major! < 22) continue
      test(`${file}, ${how}: the first request is in the caller’s trace`, async () => {
        const { stdout, stderr } = await runProgram(fixture(`instrumentation/${file}`), {
          node: ['--require', PRELOAD],
          args: [how],
          env: { OTEL_TRACES_EXPORTER: 'none' },
        })
        assert.deepEqual([stdout, stderr], ['one trace\n', ''])
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
})
