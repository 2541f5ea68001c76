import assert from 'node:assert/strict'
import Module from 'node:module'
import { describe, test } from 'node:test'
import type { ReceivedSpan } from '../support/receiver.js'
import { FORMS, PLACES, spansOf } from './run.js'

const CASES = {
  list: ['GET', '/trpc/orders.list'],
  place: ['POST', '/trpc/orders.place', '{"what":"x"}'],
  batch: ['GET', '/trpc/named,orders.list?batch=1'],
  twice: ['GET', '/trpc/orders.list,orders.list?batch=1'],
  many: ['GET', '/trpc/named,orders.list,refused,throws?batch=1'],
  throws: ['GET', '/trpc/throws'],
  rejects: ['GET', '/trpc/rejects'],
  refused: ['GET', '/trpc/refused'],
  named: ['GET', '/trpc/named'],
  unknown: ['GET', '/trpc/not.there'],
} as const
type What = keyof typeof CASES

/** ES modules are seen where Node shows them. */
const SEEN = 'registerHooks' in Module ? FORMS : (['cjs'] as const)

for (const variant of ['standalone', 'express', 'fastify', 'fetch'])
  for (const form of SEEN)
    for (const where of PLACES)
      describe(`tRPC, ${variant}, ${form}, ${where}`, { concurrency: 1 }, () => {
        let spans: ReceivedSpan[] = []
        const ask = async (): Promise<void> => {
          if (spans.length > 0) return
          spans = await spansOf({ name: 'tRPC', app: 'trpc', variant }, form, where, async (base) => {
            for (const [method, path, body] of Object.values(CASES))
              await (
                await fetch(`${base}${path}`, {
                  method,
                  headers: { 'content-type': 'application/json' },
                  ...(body === undefined ? {} : { body }),
                })
              ).text()
          })
        }
        const requestFor = async (what: What): Promise<ReceivedSpan> => {
          await ask()
          const requests = spans.filter(({ kind }) => kind === 2)
          assert.equal(requests.length, Object.keys(CASES).length)
          return requests.sort((a, b) => Number(a.start - b.start))[Object.keys(CASES).indexOf(what)]!
        }

        for (const [what, name, status] of [
          ['list', 'GET /trpc/orders.list', 200],
          ['place', 'POST /trpc/orders.place', 200],
          ['twice', 'GET /trpc/orders.list', 200],
          ['many', 'GET /trpc/:batch', 207],
          ['throws', 'GET /trpc/throws', 500],
          ['rejects', 'GET /trpc/rejects', 500],
          ['refused', 'GET /trpc/refused', 409],
          ['named', 'my own name', 200],
        ] as const)
          test(`${what} is named "${name}"`, async () => {
            const request = await requestFor(what)
            assert.equal(request.attributes['http.response.status_code'], status)
            if (what !== 'many') assert.equal(request.name, name)
            assert.equal(
              request.attributes['http.route'],
              what === 'named' ? '/trpc/named' : name.slice(name.indexOf(' ') + 1),
            )
            assert.equal(request.attributes['rpc.system.name'], 'trpc')
            const method = what === 'many' ? undefined : String(request.attributes['http.route']).slice(6)
            assert.equal(request.attributes['rpc.method'], method)
          })

        test('a batch is named by its procedures, and what nobody has is no name', async () => {
          assert.equal((await requestFor('batch')).attributes['http.route'], '/trpc/named,orders.list')
          const { name, attributes } = await requestFor('unknown')
          assert.ok(!name.includes('not.there'), name)
          assert.equal(attributes['rpc.method'], undefined)
          assert.equal(attributes['http.response.status_code'], 404)
        })

        test('what procedures do is in the transaction', async () => {
          const { traceId } = await requestFor('list')
          const names = spans.filter((span) => span.traceId === traceId).map(({ name }) => name)
          for (const name of ['middleware', 'procedure', 'task'])
            assert.ok(names.includes(name), names.join())
        })

        for (const what of ['throws', 'rejects', 'many'] as const)
          test(`${what}: the error is told once, with its stack`, async () => {
            const { events, status } = await requestFor(what)
            assert.equal(events.length, 1)
            const { attributes } = events[0]!
            assert.equal(attributes['exception.type'], 'RangeError')
            assert.match(String(attributes['exception.stacktrace']), /apps[\\/]trpc\.cjs/)
            assert.equal(status.code, 2)
          })

        test('a refusal is an answer', async () => {
          const { events, status } = await requestFor('refused')
          assert.deepEqual(events, [])
          assert.equal(status.code, 0)
        })
      })
