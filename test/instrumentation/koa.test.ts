import assert from 'node:assert/strict'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { currentTransaction } from '#dist/context/transaction.js'

import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { ended, forget, tracer } from './setup.js'

type Next = () => Promise<unknown>
interface Context {
  body: unknown
  status: number
  _matchedRoute?: unknown
  throw(status: number, message: string): never
}
type Middleware = (context: Context, next: Next) => unknown
interface Router {
  get(path: string, ...handlers: Middleware[]): void
  use(path: string | Middleware, routes?: Middleware): void
  routes(): Middleware
}
interface Application {
  use(middleware: Middleware): void
  on(event: 'error', listener: () => void): void
  callback(): RequestListener
}

const require = createRequire(import.meta.url)

for (const [name, routers] of [
  ['koa', '@koa/router'],
  ['koa-2', 'koa-router-12'],
] as const) {
  describe(`Koa (${name}, ${routers})`, () => {
    let server: Server
    let disable: () => void
    const get = async (path: string) => {
      const { port } = server.address() as AddressInfo
      const body = await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
      return { span: (await ended(1))[0]!, body }
    }

    before(async () => {
      disable = enableInstrumentations({ tracer, disabled: ['undici'] })
      const Koa = require(name) as { default?: new () => Application } & (new () => Application)
      const loaded = require(routers) as { default?: unknown }
      const KoaRouter = (loaded.default ?? loaded) as new (options?: { prefix: string }) => Router
      const app = new Koa()
      // Koa writes errors to stderr where nobody listens.
      app.on('error', () => {})
      const orgs = new KoaRouter({ prefix: '/orgs/:org' })
      const teams = new KoaRouter()
      const pass: Middleware = (_context, next) => next()
      teams.get('/people/:person', (context) => {
        context.body = String(context._matchedRoute)
      })
      orgs.use(pass)
      orgs.use('/teams/:team', teams.routes())
      orgs.get('/fail', async () => {
        throw new RangeError('boom')
      })
      orgs.get('/refuse', (context) => context.throw(403, 'no'))
      orgs.get('/named', (context) => {
        currentTransaction()!.setName('my own name')
        context.body = 'ok'
      })
      app.use(pass)
      app.use(orgs.routes())
      server = createServer(app.callback())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    })
    afterEach(forget)
    after(() => {
      disable()
      server.close()
      server.closeAllConnections()
    })

    test('names transactions by the whole route, and leaves the context as it is', async () => {
      const route = '/orgs/:org/teams/:team/people/:person'
      const { span, body } = await get('/orgs/acme/teams/7/people/me')
      assert.equal(span.kind, SpanKind.SERVER)
      assert.equal(span.name, `GET ${route}`)
      assert.equal(span.attributes['http.route'], route)
      assert.equal(body, route)
    })

    test('what has no route is named by its method alone', async () => {
      const { span } = await get('/orgs/acme/nothing/here')
      assert.equal(span.name, 'GET')
      assert.equal(span.attributes['http.response.status_code'], 404)
    })

    test('the name that the application gives stays', async () => {
      assert.equal((await get('/orgs/acme/named')).span.name, 'my own name')
    })

    test('an error is told once, with its stack; a refusal is none', async () => {
      const { span } = await get('/orgs/acme/fail')
      assert.equal(span.name, 'GET /orgs/:org/fail')
      assert.equal(span.attributes['error.type'], 'RangeError')
      assert.equal(span.status.code, SpanStatusCode.ERROR)
      assert.deepEqual(
        span.events.map(({ attributes }) => attributes?.['exception.type']),
        ['RangeError'],
      )
      assert.match(String(span.events[0]!.attributes?.['exception.stacktrace']), /koa\.test/)
      forget()
      const refused = (await get('/orgs/acme/refuse')).span
      assert.equal(refused.name, 'GET /orgs/:org/refuse')
      assert.equal(refused.status.code, SpanStatusCode.UNSET)
      assert.deepEqual(refused.events, [])
    })
  })
}
