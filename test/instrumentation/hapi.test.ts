import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { currentTransaction } from '#dist/context/transaction.js'

import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { ended, forget, tracer } from './setup.js'

interface HapiServer {
  readonly info: { readonly port: number }
  route(route: { method: string; path: string; handler: () => unknown }): void
  start(): Promise<void>
  stop(): Promise<void>
  inject(url: string): Promise<{ readonly statusCode: number }>
}

const require = createRequire(import.meta.url)

describe('hapi', () => {
  let server: HapiServer
  let disable: () => void
  const get = async (path: string) => {
    await (await fetch(`http://127.0.0.1:${server.info.port}${path}`)).text()
    return (await ended(1))[0]!
  }

  before(async () => {
    disable = enableInstrumentations({ tracer, disabled: ['undici'] })
    const Hapi = require('@hapi/hapi') as { server(options: object): HapiServer }
    const Boom = require('@hapi/boom') as { forbidden(message: string): Error }
    server = Hapi.server({ host: '127.0.0.1', port: 0, debug: false })
    const route = (path: string, handler: () => unknown) => server.route({ method: 'GET', path, handler })
    route('/orgs/{org}/items/{item?}', () => 'ok')
    route('/fail', () => {
      throw new RangeError('boom')
    })
    route('/refuse', () => {
      throw Boom.forbidden('no')
    })
    route('/named', () => {
      currentTransaction()!.setName('my own name')
      return 'ok'
    })
    await server.start()
  })
  afterEach(forget)
  after(async () => {
    disable()
    await server.stop()
  })

  test('names transactions by the route', async () => {
    const span = await get('/orgs/acme/items/7')
    assert.equal(span.kind, SpanKind.SERVER)
    assert.equal(span.name, 'GET /orgs/{org}/items/{item?}')
    assert.equal(span.attributes['http.route'], '/orgs/{org}/items/{item?}')
  })

  test('what has no route is named by its method alone', async () => {
    const span = await get('/nothing/here')
    assert.equal(span.name, 'GET')
    assert.equal(span.attributes['http.response.status_code'], 404)
  })

  test('the name that the application gives stays', async () => {
    assert.equal((await get('/named')).name, 'my own name')
  })

  test('an error is told once, with its stack; a refusal is none', async () => {
    const span = await get('/fail')
    assert.equal(span.name, 'GET /fail')
    assert.equal(span.attributes['error.type'], 'RangeError')
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    assert.deepEqual(
      span.events.map(({ attributes }) => attributes?.['exception.type']),
      ['RangeError'],
    )
    assert.match(String(span.events[0]!.attributes?.['exception.stacktrace']), /hapi\.test/)
    forget()
    const refused = await get('/refuse')
    assert.equal(refused.name, 'GET /refuse')
    assert.equal(refused.status.code, SpanStatusCode.UNSET)
    assert.deepEqual(refused.events, [])
  })

  test('a request that is injected is none', async () => {
    assert.equal((await server.inject('/fail')).statusCode, 500)
  })
})
