import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { DatabaseServer } from '../support/databases.js'
import { startMongo } from '../support/mongo-server.js'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const OPERATIONS = [
  'insert orders',
  'find orders',
  'insert orders',
  'update orders',
  'find orders',
  'getMore orders',
  'getMore orders',
  'aggregate orders',
  '_OTHER',
]

describe('operations of mongodb', () => {
  let server: DatabaseServer
  before(async () => {
    server = await startMongo()
  })
  after(() => server.stop())

  const run = async (more: object = {}) => {
    const { MongoClient } = await import('mongodb')
    const client = new MongoClient(`mongodb://127.0.0.1:${server.port}`)
    await client.db('shop').dropCollection('orders')
    await client.close()
    return runClient({ scenario: 'mongodb', name: 'mongodb', port: server.port, ...more })
  }

  for (const name of ['mongodb', 'mongodb-6']) {
    for (const form of ['require', 'import'] as const) {
      for (const pool of [1, 10]) {
        it(`are spans of the request that asked: ${name} by ${form}, with a pool of ${pool}`, async () => {
          const spans = await run({ name, form, pool })
          assertNames(spans, OPERATIONS)
          const [[insert, find, failed, update, , , , aggregate, other] = []] = byRequest(spans)
          const { 'thread.id': _id, 'thread.name': _name, ...attributes } = insert!.attributes
          const common = {
            'db.system.name': 'mongodb',
            'db.system': 'mongodb',
            'db.namespace': 'shop',
            'db.operation.name': 'insert',
            'db.collection.name': 'orders',
            'db.query.summary': 'insert orders',
            'server.address': '127.0.0.1',
            'server.port': server.port,
          }
          assert.deepEqual(attributes, {
            ...common,
            'db.query.text': '{"insert":"orders","documents":[{"_id":"?","who":"?","of":"?"}]}',
          })
          assert.equal(
            find!.attributes['db.query.text'],
            '{"find":"orders","filter":{"who":"?","?":"?","_id":{"$in":["?"]}}}',
          )
          assert.equal(failed!.attributes['db.response.status_code'], '11000')
          assert.equal(failed!.attributes['error.type'], '11000')
          assert.deepEqual(failed!.status, { code: 2, message: 'E11000 duplicate key error collection' })
          assert.match(String(update!.attributes['db.query.text']), /"updates":\[\{"q":\{"of":"\?"\},"u":/)
          assert.equal(
            aggregate!.attributes['db.query.text'],
            '{"aggregate":"orders","pipeline":[{"$match":{"of":"?"}}]}',
          )
          assert.deepEqual(other!.status, { code: 2, message: 'CommandNotFound' })
        })
      }
    }
  }

  for (const where of ['worker', 'child'] as const) {
    it(`are spans of their request in a ${where} too`, async () => {
      const spans = await run({ where })
      assertNames(spans, OPERATIONS)
      assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })
  }

  it('are no spans where they are left out', async () => {
    const spans = await run({ env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'mongodb' } })
    assert.equal(spans.length, REQUESTS)
  })
})

describe('operations of Mongoose', () => {
  let server: DatabaseServer
  before(async () => {
    server = await startMongo()
  })
  after(() => server.stop())

  for (const name of ['mongoose', 'mongoose-8']) {
    for (const form of ['require', 'import'] as const) {
      for (const pool of [1, 10]) {
        it(`are spans of its driver, once: ${name} by ${form}, with a pool of ${pool}`, async () => {
          const { MongoClient } = await import('mongodb')
          const client = new MongoClient(`mongodb://127.0.0.1:${server.port}`)
          await client.db('shop').dropCollection('orders')
          await client.close()
          const spans = await runClient({ scenario: 'mongoose', name, form, pool, port: server.port })
          assertNames(spans, [
            'insert orders',
            'find orders',
            'insert orders',
            'find orders',
            'update orders',
          ])
        })
      }
    }
  }
})
