import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { startViewer } from '#dist/viewer/server.js'
import type { MetricRow, SpanDetail } from '../../src/viewer/api.js'
import { api, body, post, span, spanId, traceId } from './support.js'

const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined

async function file(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return join(path, 'traces.db')
}

describe('the database', { skip: hasSqlite ? false : 'this Node has no node:sqlite' }, () => {
  it('holds everything for the next time', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    assert.equal(one.restored, 0)
    await post(one, body([span(1, 1, 0), span(1, 2, 1, { attributes: { 'thread.id': 3, a: 'ä' } })]))
    await post(one, body([span(2, 1, 0)], { 'service.name': 'other' }))
    const metrics = {
      resourceMetrics: [
        { scopeMetrics: [{ metrics: [{ name: 'heat', gauge: { dataPoints: [{ asDouble: 1 }] } }] }] },
      ],
    }
    await post(one, Buffer.from(JSON.stringify(metrics)), { 'content-type': 'application/json' }, 'metrics')
    const columns = await api(one, `trace/${traceId(1)}`)
    await one.close()
    const two = await startViewer({ port: 0, db })
    t.after(() => two.close())
    assert.equal(two.restored, 3)
    assert.equal(two.status().db, db)
    assert.deepEqual(await api(two, `trace/${traceId(1)}`), columns)
    const detail = await api<SpanDetail>(two, `trace/${traceId(1)}/span/${spanId(2)}`)
    assert.deepEqual(detail.attributes, { 'thread.id': 3, a: 'ä' })
    assert.deepEqual(
      (await api<MetricRow[]>(two, 'metrics')).map(({ name }) => name),
      ['heat'],
    )
    // What is there already is not there twice.
    await post(two, body([span(2, 1, 0)], { 'service.name': 'other' }))
    assert.equal(two.status().spans, 3)
  })

  it('forgets what the store forgets, and a smaller bound the next time takes the newest', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db, maxSpans: 6 })
    for (let i = 1; i <= 10; i++) await post(one, body([span(i, 1, 0), span(i, 2, 1)]))
    await one.close()
    const two = await startViewer({ port: 0, db, maxSpans: 4 })
    assert.equal(two.restored, 4)
    const traces = await api<{ traceId: string }[]>(two, 'traces')
    assert.deepEqual(
      traces.map((trace) => trace.traceId).sort(),
      [9, 10].map((trace) => traceId(trace)),
    )
    await two.close()
    const three = await startViewer({ port: 0, db })
    t.after(() => three.close())
    assert.equal(three.restored, 4)
  })

  it('makes its file for this user alone, and looks at one that is there before SQLite does', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    assert.equal((await stat(db)).mode & 0o777, 0o600)
    await one.close()
    const { DatabaseSync } = await import('node:sqlite')
    for (const sql of [
      'CREATE TABLE t (a)',
      'PRAGMA application_id = 7',
      'CREATE TABLE t (a); PRAGMA application_id = 7',
    ]) {
      const foreign = `${db}.${sql.length}`
      const other = new DatabaseSync(foreign)
      other.exec(sql)
      other.exec('VACUUM')
      other.close()
      const before = await readFile(foreign)
      await assert.rejects(startViewer({ port: 0, db: foreign }), { code: 'THREADSPAN_DB_OPEN' })
      assert.ok((await readFile(foreign)).equals(before), sql)
    }
  })

  it('survives rows of other types than its own', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    await post(one, body([span(1, 1, 0)]))
    await one.close()
    const { DatabaseSync } = await import('node:sqlite')
    const other = new DatabaseSync(db)
    other.exec("INSERT INTO part (body) VALUES ('text'), (7)")
    other.exec("INSERT INTO trace (key, start) VALUES ('t', 'soon'), (x'01', 1.5)")
    other.exec(
      "INSERT INTO piece VALUES (7, 1, 2, 1, 'text'), (8, 3, 4, 'x', 5), (9, 1, 2, 1, x'ffff'), (10, 99, 99, 1, x'')",
    )
    other.exec(
      "INSERT INTO signal (at, name, encoding, body) VALUES (1, 'metrics', 'json', 'text'), ('x', 'other', 'x', 7)",
    )
    other.close()
    const two = await startViewer({ port: 0, db })
    t.after(() => two.close())
    assert.equal(two.restored, 1)
  })

  it('leaves files alone that are not its own', async (t) => {
    const path = await file(t)
    await writeFile(
      path,
      'this is no database, and longer than a hundred bytes so that SQLite reads it as one '.repeat(3),
    )
    await assert.rejects(startViewer({ port: 0, db: path }), { code: 'THREADSPAN_DB_OPEN' })
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite')!
    const other = join(`${path}.other`)
    const database = new DatabaseSync(other)
    database.exec('CREATE TABLE theirs (a)')
    database.close()
    await assert.rejects(startViewer({ port: 0, db: other }), { code: 'THREADSPAN_DB_OPEN' })
    await assert.rejects(startViewer({ port: 0, db: join(path, 'x') }), { code: 'THREADSPAN_DB_OPEN' })
  })
})

it('says so where Node has no SQLite', {
  skip: hasSqlite ? 'this Node has node:sqlite' : false,
}, async (t) => {
  const db = await file(t)
  await assert.rejects(startViewer({ port: 0, db }), {
    code: 'THREADSPAN_SQLITE_UNAVAILABLE',
    message: /Node 22\.13/,
  })
})
