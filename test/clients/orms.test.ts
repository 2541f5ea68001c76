import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type DatabaseServer,
  noMariadb,
  noPostgresql,
  startMariadb,
  startPostgresql,
} from '../support/databases.js'
import { byRequest, REQUESTS, runClient } from './support.js'

type On = 'postgresql' | 'mysql' | 'mariadb' | 'sqlite'

const major = Number(process.versions.node.split('.')[0])

/** ORMs make no spans of their own: each statement has the one of the driver, once. */
const ORMS: readonly { readonly orm: string; readonly name: string; readonly on: readonly On[] }[] = [
  { orm: 'knex', name: 'knex', on: ['postgresql', 'mysql', 'sqlite'] },
  { orm: 'sequelize', name: 'sequelize', on: ['postgresql', 'mysql', 'mariadb'] },
  { orm: 'typeorm', name: 'typeorm', on: ['postgresql', 'mysql', 'sqlite'] },
  { orm: 'drizzle', name: 'drizzle-orm', on: ['postgresql', 'mysql', 'sqlite'] },
]

describe('statements of ORMs', { skip: noPostgresql || noMariadb }, () => {
  const servers: Partial<Record<On, DatabaseServer>> = {}
  before(async () => {
    servers.postgresql = await startPostgresql()
    servers.mariadb = servers.mysql = await startMariadb()
  })
  after(async () => {
    await servers.postgresql?.stop()
    await servers.mariadb?.stop()
  })

  const clear = async (on: On) => {
    if (on === 'postgresql') {
      const { default: pg } = await import('pg')
      const client = new pg.Client({ host: '127.0.0.1', port: servers[on]!.port, user: 'postgres' })
      await client.connect()
      await client.query('drop table if exists orders')
      await client.end()
    } else if (on !== 'sqlite') {
      const { createConnection } = await import('mysql2/promise')
      const to = { host: '127.0.0.1', port: servers[on]!.port, user: 'test', database: 'shop' }
      const connection = await createConnection(to)
      await connection.query('drop table if exists orders')
      await connection.end()
    }
  }

  for (const { orm, name, on: all } of ORMS) {
    for (const on of all) {
      for (const pool of on === 'sqlite' ? [1] : [1, 10]) {
        const skip = on === 'sqlite' && major < 22
        it(`are spans of their driver, once: ${orm} on ${on} with a pool of ${pool}`, { skip }, async () => {
          await clear(on)
          const form = orm === 'knex' || orm === 'typeorm' ? 'import' : 'require'
          const env = { ORM: orm, ON: on }
          const spans = await runClient({
            scenario: 'orm',
            name,
            form,
            pool,
            port: servers[on]?.port ?? 0,
            env,
          })
          const requests = byRequest(spans)
          assert.equal(requests.length, REQUESTS)
          const isStreamed = orm === 'knex' && on !== 'sqlite'
          for (const made of requests) {
            // What it asks of a new connection comes on top of these.
            const ours = made.filter(({ attributes }) => attributes['db.collection.name'] === 'orders')
            assert.deepEqual(
              ours.map(({ name }) => name),
              ['INSERT orders', 'SELECT orders', 'INSERT orders', ...(isStreamed ? ['SELECT orders'] : [])],
            )
            assert.deepEqual(
              ours.map(({ status }) => status.code === 2),
              ours.map((_, i) => i === 2),
            )
            assert.deepEqual(
              made.filter(({ kind, attributes }) => kind !== 3 || attributes['db.system'] !== on),
              [],
            )
          }
        })
      }
    }
  }
})
