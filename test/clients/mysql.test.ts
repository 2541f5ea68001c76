import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noMariadb, startMariadb } from '../support/databases.js'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const STATEMENTS = ['INSERT orders', 'SELECT orders', 'SELECT orders', 'INSERT orders', 'SELECT orders']

describe('statements of mysql2', { skip: noMariadb }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startMariadb()
  })
  after(() => server?.stop())

  const run = (more: object = {}) =>
    runClient({ scenario: 'mysql2', name: 'mysql2', port: server.port, ...more })
  const clear = async () => {
    const { createConnection } = await import('mysql2/promise')
    const connection = await createConnection({
      host: '127.0.0.1',
      port: server.port,
      user: 'test',
      database: 'shop',
    })
    await connection.query('drop table if exists orders')
    await connection.end()
  }

  // From 3.20 on it publishes; before, its connections are seen to queue.
  for (const name of ['mysql2', 'mysql2-3.11']) {
    for (const form of ['require', 'import'] as const) {
      for (const pool of [1, 10]) {
        it(`are spans of the request that asked: ${name} by ${form}, with a pool of ${pool}`, async () => {
          await clear()
          const spans = await run({ name, form, pool })
          assertNames(spans, STATEMENTS)
          const [[insert, select, , failed] = []] = byRequest(spans)
          const {
            'thread.id': _id,
            'thread.name': _name,
            'threadspan.connection.wait': wait,
            ...attributes
          } = insert!.attributes
          // With one connection each but the first waits for it.
          assert.ok(Number(wait) >= 0)
          const waits = byRequest(spans).map(([first]) =>
            Number(first!.attributes['threadspan.connection.wait']),
          )
          if (pool === 1) assert.equal(waits.filter((each) => each > 0).length, waits.length)
          assert.deepEqual(attributes, {
            'db.system.name': 'mysql',
            'db.system': 'mysql',
            'db.namespace': 'shop',
            'db.operation.name': 'INSERT',
            'db.collection.name': 'orders',
            'db.query.summary': 'INSERT orders',
            'db.query.text': 'insert into orders values (?)',
            'server.address': '127.0.0.1',
            'server.port': server.port,
          })
          assert.equal(select!.attributes['db.query.text'], 'select who from orders where who = ? and id = ?')
          assert.equal(failed!.attributes['db.response.status_code'], '1062')
          assert.equal(failed!.attributes['error.type'], '1062')
          assert.deepEqual(failed!.status, { code: 2, message: 'Duplicate entry ?' })
        })
      }
    }
  }

  for (const where of ['worker', 'child'] as const) {
    it(`are spans of their request in a ${where} too`, async () => {
      await clear()
      const spans = await run({ where })
      assertNames(spans, STATEMENTS)
      assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })
  }

  it('are no spans where they are left out, and run in their request all the same', async () => {
    await clear()
    const spans = await run({ env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'mysql2' } })
    assert.equal(spans.length, REQUESTS)
  })
})
