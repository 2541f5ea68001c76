import assert from 'node:assert/strict'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { live } from '#dist/config/live.js'
import { currentTransaction } from '#dist/context/transaction.js'
import { enableInstrumentations } from '#dist/instrumentation/index.js'
import { ended, forget, tracer } from './setup.js'

interface Response {
  send(body: string): void
  status(code: number): Response
}
type Handler = (request: IncomingMessage, response: Response, next: (error?: unknown) => void) => unknown
type ErrorHandler = (error: Error, ...rest: Parameters<Handler>) => unknown
type Param = (
  request: IncomingMessage,
  response: Response,
  next: (error?: unknown) => void,
  value: string,
) => void
interface Router {
  param(name: string, callback: Param): void
  get(path: string | RegExp, ...handlers: Handler[]): void
  use(path: string | Handler | ErrorHandler | Router, router?: Router | Handler): void
}
type Express = (() => Router & RequestListener) & { Router(options?: object): Router }

const require = createRequire(import.meta.url)

for (const name of ['express', 'express4']) {
  describe(`Express (${name})`, () => {
    let server: Server
    let disable: () => void
    const get = async (path: string) => {
      const { port } = server.address() as AddressInfo
      await fetch(`http://127.0.0.1:${port}${path}`)
        .then((answer) => answer.text())
        .catch(() => undefined)
      return (await ended(1))[0]!
    }

    before(async () => {
      disable = enableInstrumentations({ tracer, disabled: ['undici'] })
      const express = require(name) as Express
      const app = express()
      const sub = express()
      const orgs = express.Router({ mergeParams: true })
      const teams = express.Router({ mergeParams: true })
      const answer: Handler = (_request, response) => response.send('ok')
      const pass: Handler = (_request, _response, next) => next()
      app.use(pass)
      teams.get('/', answer)
      teams.get('/people/:person', answer)
      teams.get('/pass', (_request, _response, next) => next('router'))
      orgs.get('/fail/:item', () => {
        throw new RangeError('boom')
      })
      orgs.get('/later/:item', (_request, _response, next) => {
        setImmediate(next, Object.assign(new TypeError('later'), { code: 'ELATER' }))
      })
      orgs.get('/refuse', (_request, _response, next) =>
        next(Object.assign(new Error('no'), { status: 403 })),
      )
      orgs.get('/named', (_request, response) => {
        currentTransaction()!.setName('my own name')
        trace.getActiveSpan()!.setAttribute('http.route', '/my/route')
        response.send('ok')
      })
      app.use('/routed', (_request, _response, next) => {
        trace.getActiveSpan()!.setAttribute('http.route', '/my/route')
        next()
      })
      app.get('/routed/:id', answer)
      app.get('/told', (_request, response) => {
        const span = trace.getActiveSpan()!
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'my own words' })
        span.setAttribute('error.type', 'mine')
        response.status(500).send('no')
      })
      app.get('/half', (_request, response, next) => {
        const outgoing = response as unknown as ServerResponse
        outgoing.write('half')
        next(new RangeError('half way'))
      })
      app.get('/cut', (request) => request.socket.destroy(new RangeError('cut')))
      orgs.use('/teams/:team', teams)
      orgs.get('/teams/:team/pass', answer)
      const refuse: Param = (_request, _response, next, value) =>
        next(value === 'bad' ? new EvalError('param') : undefined)
      teams.param('person', refuse)
      app.param('letter', refuse)
      app.get('/letters/:letter', answer)
      sub.get('/deep', answer)
      app.use('/orgs/:org', orgs)
      app.use('/sub', sub)
      app.get(/^\/pattern-\d+$/, answer)
      app.get('/handled', () => {
        throw new Error('handled')
      })
      // Express knows an error handler by its four parameters.
      const handler: ErrorHandler = (error, _request, response, next) => {
        if ((response as unknown as ServerResponse).headersSent) next(error)
        else response.status((error as { status?: number }).status ?? 503).send('no')
      }
      app.use(handler)
      server = createServer(app)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    })
    afterEach(forget)
    after(() => {
      disable()
      server.close()
      server.closeAllConnections()
    })

    for (const [path, route] of [
      ['/orgs/acme/teams/7', '/orgs/:org/teams/:team'],
      ['/orgs/acme/teams/7/people/me', '/orgs/:org/teams/:team/people/:person'],
      ['/orgs/acme/teams/7/pass', '/orgs/:org/teams/:team/pass'],
      ['/sub/deep', '/sub/deep'],
      ['/pattern-17', '/^\\/pattern-\\d+$/'],
    ] as const) {
      test(`${path} is named ${route}`, async () => {
        const span = await get(path)
        assert.equal(span.kind, SpanKind.SERVER)
        assert.equal(span.name, `GET ${route}`)
        assert.equal(span.attributes['http.route'], route)
      })
    }

    test('what has no route is named by its method alone', async () => {
      assert.equal((await get('/orgs/acme/nothing/here')).name, 'GET')
    })

    test('the name and the route that the application gives stay', async () => {
      const span = await get('/orgs/acme/named')
      assert.equal(span.name, 'my own name')
      assert.equal(span.attributes['http.route'], '/my/route')
    })

    test('the route that it gives before the routes are looked at stays, and names the transaction', async () => {
      const span = await get('/routed/1')
      assert.equal(span.name, 'GET /my/route')
      assert.equal(span.attributes['http.route'], '/my/route')
    })

    test('what it says of a failure stays', async () => {
      const span = await get('/told')
      assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message: 'my own words' })
      assert.equal(span.attributes['error.type'], 'mine')
      assert.equal(span.attributes['http.response.status_code'], 500)
    })

    for (const [path, message] of [
      ['/half', 'half way'],
      ['/cut', 'cut'],
    ] as const) {
      test(`${path}: an error by which the connection is closed is told`, async () => {
        const span = await get(path)
        assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message })
        assert.equal(span.events.length, 1)
        assert.equal(span.events[0]!.attributes!['exception.type'], 'RangeError')
      })
    }

    for (const [path, route, type, status] of [
      ['/orgs/acme/fail/1', '/orgs/:org/fail/:item', 'RangeError', 503],
      ['/orgs/acme/later/1', '/orgs/:org/later/:item', 'TypeError', 503],
      ['/handled', '/handled', 'Error', 503],
      ['/orgs/acme/teams/7/people/bad', '/orgs/:org/teams/:team/people/:person', 'EvalError', 503],
      ['/letters/bad', '/letters/:letter', 'EvalError', 503],
    ] as const) {
      test(`${path}: the error is told once, under the whole route`, async () => {
        const span = await get(path)
        assert.equal(span.name, `GET ${route}`)
        assert.equal(span.status.code, SpanStatusCode.ERROR)
        assert.equal(span.attributes['http.response.status_code'], status)
        const events = span.events.filter((event) => event.name === 'exception')
        assert.equal(events.length, 1)
        const [event] = events
        assert.equal(event!.attributes!['exception.type'], type)
        assert.match(String(event!.attributes!['exception.stacktrace']), /express\.test\.js/)
      })
    }

    test('tells neither route nor error while it is deactivated', async () => {
      live.now = () => ({
        values: {},
        isDeactivated: (instrumentation) => instrumentation === 'express',
        isIgnored: () => false,
        groupOf: () => undefined,
        stackOf: (stack) => stack,
      })
      try {
        const span = await get('/orgs/acme/fail/1')
        assert.equal(span.name, 'GET')
        assert.equal(span.attributes['http.response.status_code'], 503)
        assert.deepEqual(span.events, [])
      } finally {
        live.now = undefined
      }
    })

    test('a refusal is an answer and no error of the service', async () => {
      const span = await get('/orgs/acme/refuse')
      assert.equal(span.attributes['http.response.status_code'], 403)
      assert.equal(span.status.code, SpanStatusCode.UNSET)
      assert.equal(span.events.length, 0)
    })
  })
}
