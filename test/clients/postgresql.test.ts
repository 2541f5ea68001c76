import assert from 'node:assert/strict'
import module from 'node:module'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noPostgresql, startPostgresql } from '../support/databases.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedPoint, Receiver } from '../support/receiver.js'
import { assertNames, byRequest, REQUESTS, runClient } from './support.js'

const STATEMENTS = [
  'INSERT orders',
  'SELECT orders',
  'SELECT orders',
  'SELECT orders',
  'SELECT orders',
  'SELECT',
]

describe('statements of pg', { skip: noPostgresql }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startPostgresql()
  })
  after(() => server?.stop())

  const run = (more: object = {}) =>
    runClient({ scenario: 'pg', name: 'pg', port: server.port, env: { PGDATABASE: 'postgres' }, ...more })
  const clear = async () => {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres' })
    await client.connect()
    await client.query('drop table if exists orders')
    await client.end()
  }

  for (const form of ['require', 'import'] as const) {
    for (const pool of [1, 10]) {
      it(`are spans of the request that asked, by ${form}, with a pool of ${pool}`, async () => {
        await clear()
        assertNames(await run({ form, pool }), STATEMENTS)
      })
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

  it('are measured, one by one', async () => {
    await clear()
    let points: readonly ReceivedPoint[] = []
    const spans = await run({
      where: 'worker',
      env: { PGDATABASE: 'postgres', OTEL_METRICS_EXPORTER: 'otlp' },
      measured(all: readonly ReceivedPoint[]) {
        points = all.filter(({ name }) => name === 'db.client.operation.duration')
      },
    })
    const count = (operation: string) =>
      points
        .filter(({ attributes }) => attributes['db.operation.name'] === operation)
        .reduce((sum, { histogram }) => sum + histogram!.count, 0)
    const made = (operation: string) =>
      spans.filter(({ attributes }) => attributes['db.operation.name'] === operation).length
    for (const operation of ['INSERT', 'SELECT']) assert.equal(count(operation), made(operation), operation)
    assert.ok(made('SELECT') > 0)
    const failed = points.filter(({ attributes }) => attributes['error.type'] !== undefined)
    assert.ok(failed.length > 0)
    for (const { attributes, unit } of points) {
      assert.equal(unit, 's')
      assert.deepEqual(
        [attributes['db.system.name'], attributes['server.address'], attributes['db.query.text']],
        ['postgresql', '127.0.0.1', undefined],
      )
    }
  })

  it('tell how long their connection was waited for, the first on it', async () => {
    await clear()
    for (const made of byRequest(await run())) {
      const waits = made.map(({ attributes }) => attributes['threadspan.connection.wait'])
      assert.deepEqual(
        waits.map((wait) => typeof wait),
        // Three of the pool's own, and three on a connection that was taken from it.
        ['number', 'number', 'number', 'number', 'undefined', 'undefined'],
      )
      assert.ok(waits.every((wait) => wait === undefined || Number(wait) >= 0))
    }
  })

  it('have the attributes of the semantic conventions, and no values', async () => {
    await clear()
    const [[insert, select, failed, cursor, stream, named] = []] = byRequest(await run())
    const common = {
      'db.system.name': 'postgresql',
      'db.system': 'postgresql',
      'db.namespace': 'postgres',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    }
    const orders = { 'db.collection.name': 'orders' }
    const describe = ({ attributes }: { attributes: Record<string, unknown> }) => {
      const {
        'thread.id': _id,
        'thread.name': _name,
        'threadspan.connection.wait': _wait,
        ...rest
      } = attributes
      return rest
    }
    assert.deepEqual(describe(insert!), {
      ...common,
      ...orders,
      'db.operation.name': 'INSERT',
      'db.query.summary': 'INSERT orders',
      'db.query.text': 'insert into orders values ($1, $2)',
    })
    assert.equal(select!.attributes['db.query.text'], 'select who from orders where who = ? and id = ?')
    assert.deepEqual(describe(failed!), {
      ...common,
      ...orders,
      'db.operation.name': 'SELECT',
      'db.query.summary': 'SELECT orders',
      'db.query.text': 'select * from orders where id = ?',
      'db.response.status_code': '22P02',
      'error.type': '22P02',
    })
    assert.deepEqual(failed!.status, { code: 2, message: 'invalid input syntax for type integer: ?' })
    assert.equal(cursor!.attributes['db.query.text'], 'select id as cursor_id from orders')
    assert.equal(stream!.attributes['db.query.text'], 'select id as stream_id from orders')
    assert.deepEqual(describe(named!), {
      ...common,
      'db.operation.name': 'SELECT',
      'db.query.summary': 'SELECT',
      'db.query.text': 'select ? as named',
    })
  })

  it('are no spans where they are left out, and run in their request all the same', async () => {
    await clear()
    const spans = await run({ env: { PGDATABASE: 'postgres', OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pg' } })
    assert.equal(spans.length, REQUESTS)
  })

  it("are left to OpenTelemetry's own instrumentation where that makes spans of them", async () => {
    const receiver = await Receiver.start()
    const { code, stderr } = await runProgram(fixture('clients/two-agents.cjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, PORT: String(server.port) },
    })
    await receiver.close()
    assert.deepEqual([code, stderr], [0, ''])
    const queries = receiver.spans.filter(({ name }) => /query|SELECT/.test(name))
    assert.deepEqual(
      queries.map(({ scope }) => scope),
      Array.from({ length: 3 }, () => '@opentelemetry/instrumentation-pg'),
    )
  })
})

describe('queries of postgres.js', { skip: noPostgresql }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startPostgresql()
  })
  after(() => server?.stop())

  const QUERIES = [
    'INSERT orders',
    'SELECT orders',
    'SELECT generate_series',
    'SELECT orders',
    'SELECT generate_series',
    'SELECT orders',
  ]
  const run = async (more: object = {}) => {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres' })
    await client.connect()
    await client.query('drop table if exists orders')
    await client.end()
    return runClient({ scenario: 'postgres', name: 'postgres', port: server.port, ...more })
  }

  // An ES module is seen by later Nodes alone.
  for (const form of 'registerHooks' in module ? (['require', 'import'] as const) : (['require'] as const)) {
    for (const pool of [1, 10]) {
      it(`are spans of the request that asked, by ${form}, with a pool of ${pool}`, async () => {
        const spans = await run({ form, pool })
        assertNames(spans, QUERIES)
        const [[insert, select, , failed] = []] = byRequest(spans)
        assert.equal(insert!.attributes['db.query.text'], 'insert into orders ?')
        assert.equal(select!.attributes['db.query.text'], 'select who from "orders" where who = ? and id = ?')
        assert.equal(failed!.attributes['db.response.status_code'], '22P02')
      })
    }
  }

  it('are no spans where they are left out, and run in their request all the same', async () => {
    const spans = await run({ env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'postgres' } })
    assert.equal(spans.length, REQUESTS)
  })
})
