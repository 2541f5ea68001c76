import assert from 'node:assert/strict'
import module from 'node:module'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noMariadb, startMariadb } from '../support/databases.js'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const STATEMENTS = [
  'INSERT orders',
  'SELECT orders',
  'INSERT orders',
  'INSERT orders',
  'START',
  'SELECT orders',
  'COMMIT',
]
const CALLBACKS = ['INSERT orders', 'INSERT orders', 'START', 'SELECT orders', 'COMMIT']

describe('statements of mariadb', { skip: noMariadb }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startMariadb()
  })
  after(() => server?.stop())

  const run = async (more: object = {}) => {
    const { createConnection } = await import('mysql2/promise')
    const to = { host: '127.0.0.1', port: server.port, user: 'test', database: 'shop' }
    const connection = await createConnection(to)
    await connection.query('drop table if exists orders')
    await connection.end()
    return runClient({ scenario: 'mariadb', name: 'mariadb', port: server.port, ...more })
  }

  // The present one is ES modules, and a bundle for CommonJS; an ES module is seen by later Nodes alone. Before 3.5 it was files of CommonJS.
  const FORMS = [
    { name: 'mariadb', form: 'require' },
    ...('registerHooks' in module ? [{ name: 'mariadb', form: 'import' }] : []),
    { name: 'mariadb-3.4', form: 'require' },
    { name: 'mariadb-3.4', form: 'import' },
  ]
  for (const { name, form } of FORMS) {
    for (const pool of [1, 10]) {
      it(`are spans of the request that asked: ${name} by ${form}, with a pool of ${pool}`, async () => {
        const spans = await run({ name, form, pool })
        assertNames(spans, STATEMENTS)
        const [[insert, select, failed, batch, start] = []] = byRequest(spans)
        const {
          'thread.id': _id,
          'thread.name': _name,
          'threadspan.connection.wait': wait,
          ...attributes
        } = insert!.attributes
        assert.deepEqual(attributes, {
          'db.system.name': 'mariadb',
          'db.system': 'mariadb',
          'db.namespace': 'shop',
          'db.operation.name': 'INSERT',
          'db.collection.name': 'orders',
          'db.query.summary': 'INSERT orders',
          'db.query.text': 'insert into orders values (?)',
          'server.address': '127.0.0.1',
          'server.port': server.port,
        })
        // What the bundle does for a statement that its pool was given is not seen.
        if (name !== 'mariadb' || form !== 'require') assert.ok(Number(wait) >= 0)
        assert.equal(select!.attributes['db.query.text'], 'select who from orders where who = ? and id = ?')
        assert.equal(failed!.attributes['db.response.status_code'], '1062')
        assert.equal(failed!.attributes['error.type'], '1062')
        assert.equal(failed!.status.code, 2)
        assert.equal(batch!.attributes['db.operation.batch.size'], 2)
        for (const each of byRequest(spans).flat()) assert.equal(each.attributes['server.port'], server.port)
        assert.ok(Number(start!.attributes['threadspan.connection.wait']) >= 0)
      })

      it(`are so with callbacks: ${name} by ${form}, with a pool of ${pool}`, async () => {
        const spans = await run({
          scenario: 'mariadb-callback',
          name: `${name}/callback${name === 'mariadb' ? '' : '.js'}`,
          form,
          pool,
        })
        assertNames(spans, CALLBACKS)
        const [[insert] = []] = byRequest(spans)
        assert.equal(insert!.attributes['server.port'], server.port)
      })
    }
  }

  for (const where of ['worker', 'child'] as const) {
    it(`are spans of their request in a ${where} too`, async () => {
      const spans = await run({ where })
      assertNames(spans, STATEMENTS)
      assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })
  }

  it('are no spans where they are left out, and run in their request all the same', async () => {
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'mariadb' }
    const all = [
      await run({ env }),
      await run({ env, scenario: 'mariadb-callback', name: 'mariadb/callback' }),
    ]
    for (const spans of all) assert.equal(spans.length, REQUESTS)
  })
})
