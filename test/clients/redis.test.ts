import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noRedis, startRedis } from '../support/databases.js'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const WITH_BATCH = ['SET', 'GET', 'LPUSH', 'MULTI']
const ONE_BY_ONE = ['SET', 'GET', 'LPUSH', 'MULTI', 'INCR', 'INCR', 'EXEC']

/** From 5.11 and 5.12 on they publish; before, they are seen to send and to queue. */
const CLIENTS = [
  { scenario: 'ioredis', name: 'ioredis', commands: WITH_BATCH, tellsServer: true },
  { scenario: 'ioredis', name: 'ioredis-5.4', commands: ONE_BY_ONE, tellsServer: true },
  { scenario: 'redis', name: 'redis', commands: WITH_BATCH, tellsServer: true },
  { scenario: 'redis', name: 'redis-4', commands: ONE_BY_ONE, tellsServer: false },
]

describe('commands of Redis', { skip: noRedis }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startRedis()
  })
  after(() => server?.stop())

  for (const { scenario, name, commands, tellsServer } of CLIENTS) {
    for (const form of ['require', 'import'] as const) {
      it(`are spans of the request that asked: ${name} by ${form}`, async () => {
        const spans = await runClient({ scenario, name, form, port: server.port })
        assertNames(spans, commands)
        const [[set, , failed, multi] = []] = byRequest(spans)
        const { 'thread.id': _id, 'thread.name': _name, ...attributes } = set!.attributes
        assert.deepEqual(attributes, {
          'db.system.name': 'redis',
          'db.system': 'redis',
          'db.operation.name': 'SET',
          'db.query.text': 'SET session:? ? ? ?',
          ...(tellsServer && {
            'db.namespace': '1',
            'server.address': '127.0.0.1',
            'server.port': server.port,
          }),
        })
        assert.equal(failed!.attributes['db.response.status_code'], 'WRONGTYPE')
        assert.equal(failed!.attributes['error.type'], 'WRONGTYPE')
        assert.equal(failed!.status.code, 2)
        if (commands === WITH_BATCH) assert.equal(multi!.attributes['db.operation.batch.size'], 2)
      })
    }

    it(`are no spans where ${name} is left out`, async () => {
      const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: scenario }
      const spans = await runClient({ scenario, name, port: server.port, env })
      assert.equal(spans.length, REQUESTS)
    })
  }

  for (const where of ['worker', 'child'] as const) {
    it(`are spans of their request in a ${where} too`, async () => {
      const spans = await runClient({ scenario: 'ioredis', name: 'ioredis', where, port: server.port })
      assertNames(spans, WITH_BATCH)
      assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })
  }

  it('that set a connection up are none', async () => {
    const spans = await runClient({ scenario: 'redis', name: 'redis', port: server.port })
    assert.deepEqual(
      spans.filter(({ name }) => ['HELLO', 'CLIENT', 'AUTH'].includes(name)),
      [],
    )
  })

  for (const { scenario, name } of CLIENTS) {
    for (const disabled of [false, true]) {
      it(`${name}${disabled ? ' without its spans' : ''}: what a shared connection tells runs in the request that asked`, async () => {
        await runClient({
          scenario: `${scenario}-messages`,
          name,
          port: server.port,
          env: disabled ? { OTEL_NODE_DISABLED_INSTRUMENTATIONS: scenario } : {},
        })
      })
    }
  }
})
