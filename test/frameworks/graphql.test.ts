import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReceivedSpan } from '../support/receiver.js'
import { FORMS, PLACES, spansOf } from './run.js'

const CASES = {
  query: ['/graphql', 'query GetOrders { orders { id } }'],
  mutation: ['/graphql', 'mutation Place($id: ID!) { place(id: $id) { id } }', { id: 'sesame' }],
  anonymous: ['/graphql', '{ orders { id } }'],
  execute: ['/execute', 'query First { orders { id } } query Second { orders { id } }', undefined, 'Second'],
  fails: [
    '/graphql',
    'query Fails($secret: String) { fails(secret: $secret) rejects }',
    { secret: 'sesame' },
  ],
  refused: ['/graphql', 'query Refused { refused }'],
  named: ['/graphql', 'query Named { named }'],
  wrong: ['/graphql', 'query Wrong { nothing }'],
} as const

/** Version 17 is not for Node 20. */
const VERSIONS = Number(process.versions.node.split('.')[0]) < 22 ? ['graphql-16'] : ['graphql-16', 'graphql']

for (const variant of VERSIONS)
  for (const form of FORMS)
    for (const where of PLACES)
      describe(`${variant}, ${form}, ${where}`, { concurrency: 1 }, () => {
        let spans: ReceivedSpan[] = []
        const ask = async (): Promise<void> => {
          if (spans.length > 0) return
          const aliases = { graphql: `node_modules/${variant}`, express: 'node_modules/express' }
          const subject = { name: variant, app: 'graphql', variant, aliases }
          spans = await spansOf(subject, form, where, async (base) => {
            for (const [path, query, variables, operationName] of Object.values(CASES))
              await (
                await fetch(`${base}${path}`, {
                  method: 'POST',
                  headers: { 'content-type': 'application/json' },
                  body: JSON.stringify({ query, variables, operationName }),
                })
              ).text()
          })
        }
        const requestFor = async (what: keyof typeof CASES): Promise<ReceivedSpan> => {
          await ask()
          const requests = spans.filter(({ kind }) => kind === 2)
          assert.equal(requests.length, Object.keys(CASES).length)
          return requests.sort((a, b) => Number(a.start - b.start))[Object.keys(CASES).indexOf(what)]!
        }

        for (const [what, name, type, operation] of [
          ['query', 'query GetOrders', 'query', 'GetOrders'],
          ['mutation', 'mutation Place', 'mutation', 'Place'],
          ['anonymous', 'query', 'query', undefined],
          ['execute', 'query Second', 'query', 'Second'],
          ['named', 'my own name', 'query', 'Named'],
          ['wrong', 'POST /graphql', undefined, undefined],
        ] as const)
          test(`${what} is named "${name}"`, async () => {
            const { name: shown, attributes } = await requestFor(what)
            assert.equal(shown, name)
            assert.equal(attributes['graphql.operation.type'], type)
            assert.equal(attributes['graphql.operation.name'], operation)
            assert.equal(attributes['http.route'], what === 'execute' ? '/execute' : '/graphql')
          })

        test('what resolvers do is in the transaction', async () => {
          const { traceId } = await requestFor('query')
          const names = spans.filter((span) => span.traceId === traceId).map(({ name }) => name)
          assert.ok(names.includes('resolver') && names.includes('task'), names.join())
        })

        test('errors of resolvers are told once each, with their stacks', async () => {
          const { events, status, attributes } = await requestFor('fails')
          assert.deepEqual(
            events.map(({ attributes }) => attributes['exception.message']),
            ['fails', 'rejects'],
          )
          for (const event of events) {
            assert.equal(event.attributes['exception.type'], 'RangeError')
            assert.match(String(event.attributes['exception.stacktrace']), /apps[\\/]graphql\.cjs/)
          }
          assert.equal(status.code, 2)
          assert.equal(attributes['error.type'], 'RangeError')
        })

        test('a refusal is an answer', async () => {
          const { events, status } = await requestFor('refused')
          assert.deepEqual(events, [])
          assert.equal(status.code, 0)
        })

        test('values of variables are in nothing', async () => {
          await ask()
          const text = JSON.stringify(spans, (_key, value) =>
            typeof value === 'bigint' ? String(value) : value,
          )
          assert.ok(!text.includes('sesame'))
        })
      })
