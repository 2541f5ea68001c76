import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

const received: http.IncomingMessage[] = []
const server = http.createServer((request, response) => {
  received.push(request)
  if (request.url === '/hang') return
  if (request.url === '/away') response.writeHead(302, { location: '/there' })
  else if (request.url === '/404') response.statusCode = 404
  response.end('body')
})
let base = ''
let disable: () => void

describe('fetch', () => {
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    disable = enableInstrumentations({ tracer, disabled: ['http'] })
  })
  afterEach(() => {
    forget()
    received.length = 0
  })
  after(() => {
    disable()
    server.close()
    server.closeAllConnections()
  })

  const sent = () => received.map(({ headers }) => headers['traceparent'])
  const expected = () =>
    spans()
      .filter(({ kind }) => kind === SpanKind.CLIENT)
      .map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`)

  test('a request is a CLIENT span under the active one, told to the server', async () => {
    await tracer.startActiveSpan('parent', async (parent) => {
      assert.equal(await (await fetch(`${base}/a?password=x`)).text(), 'body')
      parent.end()
    })
    await ended(2)
    const span = byName('GET')
    assert.equal(span.kind, SpanKind.CLIENT)
    assert.equal(span.parentSpanContext?.spanId, byName('parent').spanContext().spanId)
    assert.deepEqual(sent(), expected())
    const port = Number(new URL(base).port)
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'url.full': `${base}/a?password=REDACTED`,
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.peer.address': '127.0.0.1',
      'network.peer.port': port,
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
    })
  })

  test('requests side by side are siblings, each with its own header', async () => {
    await tracer.startActiveSpan('parent', async (parent) => {
      await Promise.all(Array.from({ length: 5 }, async () => (await fetch(base)).text()))
      parent.end()
    })
    await ended(6)
    assert.deepEqual(sent().sort(), expected().sort())
    const parents = new Set(
      spans().flatMap(({ kind, parentSpanContext }) =>
        kind === SpanKind.CLIENT ? [parentSpanContext?.spanId] : [],
      ),
    )
    assert.deepEqual([...parents], [byName('parent').spanContext().spanId])
  })

  test('each redirect is a request of its own', async () => {
    await (await fetch(`${base}/away`)).text()
    await ended(2)
    assert.deepEqual(sent(), expected())
  })

  test("a traceparent of the application's own is replaced, not doubled", async () => {
    await (
      await fetch(base, {
        headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      })
    ).text()
    await ended(1)
    assert.deepEqual(sent(), expected())
  })

  test('4xx, a refused connection and a request given up are errors', async () => {
    await (await fetch(`${base}/404`)).text()
    await ended(1)
    assert.equal(byName('GET').attributes['error.type'], '404')
    assert.equal(byName('GET').status.code, SpanStatusCode.ERROR)
    forget()

    const closed = http.createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    await assert.rejects(fetch(`http://127.0.0.1:${port}`))
    await ended(1)
    assert.equal(byName('GET').attributes['error.type'], 'ECONNREFUSED')
    assert.equal(byName('GET').events[0]?.name, 'exception')
    forget()

    await assert.rejects(fetch(`${base}/hang`, { signal: AbortSignal.timeout(50) }))
    await ended(1)
    assert.equal(byName('GET').status.code, SpanStatusCode.ERROR)
  })
})
