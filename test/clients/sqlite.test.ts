import assert from 'node:assert/strict'
import module from 'node:module'
import { describe, it } from 'node:test'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const major = Number(process.versions.node.split('.')[0])
const FAILED = { 'db.response.status_code': '1555', 'error.type': '1555' }

/** An ES module is seen by later Nodes alone where it is Node's, or one file. */
const HAS_HOOKS = 'registerHooks' in module

const CLIENTS = [
  {
    name: 'node:sqlite',
    scenario: 'sqlite',
    namespace: ':memory:',
    since: 22,
    seesImport: HAS_HOOKS,
    names: ['INSERT orders', 'SELECT orders', 'INSERT orders', 'SELECT orders', 'SELECT orders', 'SELEC'],
    failure: FAILED,
  },
  {
    name: 'better-sqlite3',
    scenario: 'better-sqlite3',
    namespace: ':memory:',
    since: 22,
    seesImport: true,
    names: [
      'BEGIN',
      'INSERT orders',
      'COMMIT',
      'SELECT orders',
      'INSERT orders',
      'SELECT orders',
      'SELECT orders',
      'PRAGMA',
    ],
    failure: {
      'db.response.status_code': 'SQLITE_CONSTRAINT_PRIMARYKEY',
      'error.type': 'SQLITE_CONSTRAINT_PRIMARYKEY',
    },
  },
  {
    name: 'node-sqlite3-wasm',
    scenario: 'node-sqlite3-wasm',
    since: 20,
    seesImport: HAS_HOOKS,
    names: ['INSERT orders', 'SELECT orders', 'INSERT orders', 'SELECT orders', 'SELECT orders'],
    failure: { 'error.type': 'SQLite3Error' },
  },
]

for (const { name, scenario, namespace, since, seesImport, names, failure } of CLIENTS) {
  describe(`statements of ${name}`, { skip: major < since }, () => {
    const run = (more: object = {}) => runClient({ scenario, name, port: 0, ...more })

    for (const form of seesImport ? (['require', 'import'] as const) : (['require'] as const)) {
      it(`are spans of the request that asked, by ${form}, with no values`, async () => {
        const spans = await run({ form })
        assertNames(spans, names)
        const [made = []] = byRequest(spans)
        const [insert, failed] = made.filter(({ name }) => name === 'INSERT orders')
        const { 'thread.id': _id, 'thread.name': _name, ...attributes } = insert!.attributes
        const common = {
          'db.system.name': 'sqlite',
          'db.system': 'sqlite',
          ...(namespace !== undefined && { 'db.namespace': namespace }),
          'db.operation.name': 'INSERT',
          'db.collection.name': 'orders',
          'db.query.summary': 'INSERT orders',
        }
        assert.deepEqual(attributes, { ...common, 'db.query.text': 'insert into orders values (?)' })
        const { 'thread.id': _i, 'thread.name': _n, ...told } = failed!.attributes
        assert.deepEqual(told, { ...common, 'db.query.text': 'insert into orders values (?)', ...failure })
        assert.deepEqual(failed!.status, { code: 2, message: 'UNIQUE constraint failed: orders.id' })
        const select = made.find(({ name }) => name === 'SELECT orders')
        assert.equal(select!.attributes['db.query.text'], 'select who from [orders] where who = ? and id = ?')
      })
    }

    for (const where of ['worker', 'child'] as const) {
      it(`are spans of their request in a ${where} too`, async () => {
        const spans = await run({ where })
        assertNames(spans, names)
        assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
      })
    }

    it('are no spans where they are left out', async () => {
      const spans = await run({ env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: scenario } })
      assert.equal(spans.length, REQUESTS)
    })
  })
}
