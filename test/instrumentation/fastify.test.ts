import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import fastify from 'fastify'
import { currentTransaction } from '#dist/context/transaction.js'

import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { byName, ended, forget, spans, tracer } from './setup.js'

// Before Fastify makes the instance, as the preload is.
let disable = enableInstrumentations({ tracer, disabled: ['undici'] })
const app = fastify()
app.get('/users/:id', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1))
  return { name: currentTransaction()?.name }
})
app.get('/sync', () => {
  throw new TypeError('broken')
})
app.get('/async', async () => {
  throw Object.assign(new Error('no database'), { code: 'ENODB' })
})
app.get('/teapot', async () => {
  throw Object.assign(new Error('short and stout'), { statusCode: 418 })
})
app.post('/items/:id', { schema: { body: { type: 'object', required: ['name'] } } }, async () => 'ok')
app.get(
  '/guarded/:id',
  { onRequest: async () => Promise.reject(new RangeError('guard broke')) },
  async () => 'ok',
)
let base = ''

const request = async (path: string) => (await fetch(base + path)).text()

describe('Fastify', () => {
  before(async () => {
    disable = enableInstrumentations({ tracer, disabled: ['undici'] })
    base = await app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterEach(forget)
  after(async () => {
    disable()
    await app.close()
  })

  test('the route names the transaction, also while it runs', async () => {
    assert.equal(await request('/users/7'), '{"name":"GET /users/:id"}')
    await ended(1)
    const span = byName('GET /users/:id')
    assert.equal(span.kind, SpanKind.SERVER)
    assert.equal(span.attributes['http.route'], '/users/:id')
    assert.equal(span.attributes['url.path'], '/users/7')
  })

  test('what a handler throws is recorded with its stack', async () => {
    for (const [path, type, message] of [
      ['/sync', 'TypeError', 'broken'],
      ['/async', 'ENODB', 'no database'],
    ] as const) {
      await request(path)
      await ended(1)
      const span = byName(`GET ${path}`)
      assert.equal(span.status.code, SpanStatusCode.ERROR)
      assert.equal(span.status.message, message)
      assert.equal(span.attributes['error.type'], type)
      assert.equal(span.events.length, 1)
      assert.match(String(span.events[0]?.attributes?.['exception.stacktrace']), /fastify\.test/)
      forget()
    }
  })

  test('an error that is an answer is no error of the service', async () => {
    await request('/teapot')
    await ended(1)
    const span = byName('GET /teapot')
    assert.equal(span.attributes['http.response.status_code'], 418)
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.deepEqual(span.events, [])
  })

  test('a path without a route does not name the transaction', async () => {
    await request('/nowhere/7')
    await ended(1)
    assert.equal(byName('GET').attributes['http.response.status_code'], 404)
  })

  test('an injected request leaves the transaction around it alone', async () => {
    await tracer.startActiveSpan('outer', async (span) => {
      await app.inject('/users/7')
      span.end()
    })
    assert.deepEqual(
      spans().map(({ name }) => name),
      ['outer'],
    )
  })

  for (const [what, body] of [
    ['validation', '{}'],
    ['the parser of the body', '{'],
  ] as const) {
    test(`what ${what} refuses has its route and is no error of the service`, async () => {
      const headers = { 'content-type': 'application/json' }
      await (await fetch(`${base}/items/1`, { method: 'POST', headers, body })).text()
      await ended(1)
      const span = byName('POST /items/:id')
      assert.equal(span.attributes['http.response.status_code'], 400)
      assert.equal(span.status.code, SpanStatusCode.UNSET)
      assert.deepEqual(span.events, [])
    })
  }

  test('what an onRequest hook rejects with is told once, under the route', async () => {
    await request('/guarded/1')
    await ended(1)
    const { events, attributes } = byName('GET /guarded/:id')
    assert.equal(attributes['http.response.status_code'], 500)
    assert.deepEqual(
      events.map((event) => event.attributes!['exception.type']),
      ['RangeError'],
    )
  })
})
