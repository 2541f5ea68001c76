import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import { ViewerData } from '#dist/viewer/data.js'
import { Retention } from '#dist/viewer/database/retention.js'
import { startViewer } from '#dist/viewer/server.js'
import type { SpanDetail, TraceSummary } from '../../src/viewer/api.js'
import { dist } from '../support/dist.js'
import { api, body, post, send, span, spanId, traceId } from './support.js'

const MAIN = fileURLToPath(dist('cli/main.js'))
const sqlite = process.getBuiltinModule('node:sqlite')
const skip = sqlite === undefined ? 'this Node has no node:sqlite' : false

async function file(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return join(path, 'traces.db')
}

function change(db: string, work: (database: DatabaseSync) => void): void {
  const database = new sqlite!.DatabaseSync(db)
  work(database)
  database.close()
}

/** Names of all spans that are held. */
async function names(endpoint: string): Promise<string[]> {
  const csv = (await send(`${endpoint}/api/export?format=csv`)).body.toString()
  return csv
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.split(',')[7]!)
}

describe('a database whose process is killed', { skip }, () => {
  it('is whole, and has what came up to a moment, with no holes', async (t) => {
    const db = await file(t)
    const PER_REQUEST = 20
    for (let round = 1; round <= 4; round++) {
      const child = spawn(process.execPath, [MAIN, 'view', '--port', '0', '--db', db], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      t.after(() => child.kill('SIGKILL'))
      let line = ''
      for await (const chunk of child.stdout) {
        line += String(chunk)
        if (line.includes('\n')) break
      }
      const endpoint = /(http:\/\/[\d.:]+)\//.exec(line)![1]!
      const closed = once(child, 'close')
      let sent = 0
      let written = 0
      const before = await stat(`${db}-wal`).catch(() => undefined)
      for (let number = 0; ; number++) {
        const spans = Array.from({ length: PER_REQUEST }, (_, i) => {
          const id = round * 1_000_000 + number * PER_REQUEST + i + 1
          return span(round, id, 0, { name: `${round}-${number * PER_REQUEST + i}`, at: number })
        })
        const answer = await send(`${endpoint}/v1/traces`, {
          headers: { 'content-type': 'application/x-protobuf' },
          body: body(spans),
        })
        assert.equal(answer.status, 200)
        sent += PER_REQUEST
        const now = await stat(`${db}-wal`)
        if (written === 0 && now.size > 0 && now.mtimeMs !== before?.mtimeMs) written = number
        // In the midst of requests and of writes, in each round elsewhere.
        if (written > 0 && number >= written + round * 17) break
      }
      // The next request is under way when it dies.
      const dying = send(`${endpoint}/v1/traces`, { body: body([span(9, 1, 0)]) }).catch(() => undefined)
      child.kill('SIGKILL')
      await closed
      await dying
      const viewer = await startViewer({ port: 0, db })
      const mine = (await names(viewer.endpoint))
        .filter((name) => name.startsWith(`${round}-`))
        .map((name) => Number(name.split('-')[1]))
        .sort((a, b) => a - b)
      assert.ok(mine.length > 0 && mine.length <= sent, `${mine.length} of ${sent}`)
      assert.deepEqual(
        mine,
        mine.map((_, i) => i),
      )
      await viewer.close()
      change(db, (database) => {
        assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
      })
    }
  })
})

/** The tables of version 1, in which each span was a row. */
const VERSION_1 = `
CREATE TABLE part (id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE);
CREATE TABLE span (seq INTEGER PRIMARY KEY, trace BLOB NOT NULL, resource INTEGER NOT NULL, scope INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX span_trace ON span (trace);
CREATE TABLE signal (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, encoding TEXT NOT NULL, body BLOB NOT NULL);
PRAGMA application_id = ${0x74687370};
PRAGMA user_version = 1;
`

describe('a database of another version', { skip }, () => {
  it('is brought to this one, with all that it has', async (t) => {
    const db = await file(t)
    const metrics =
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"heat","gauge":{"dataPoints":[{"asDouble":1}]}}]}]}]}'
    change(db, (database) => {
      database.exec(VERSION_1)
      const part = database.prepare('INSERT INTO part (body) VALUES (?)')
      for (const service of ['one', 'two']) {
        part.run(lengthDelimited(0x0a, encodeResource({ 'service.name': service })))
      }
      part.run(lengthDelimited(0x0a, encodeScope('tests', '1')))
      const insert = database.prepare('INSERT INTO span (trace, resource, scope, body) VALUES (?, ?, 3, ?)')
      database.exec('BEGIN')
      for (let i = 1; i <= 3000; i++) {
        const one = span(1 + (i % 7), i, 0, { at: i, attributes: { 'thread.id': i % 3 } })
        insert.run(Buffer.from(one.traceId, 'hex'), 1 + (i % 2), encodeSpan(one))
      }
      database.exec('COMMIT')
      database.exec("INSERT INTO span (trace, resource, scope, body) VALUES ('t', 1, 3, 'text')")
      database
        .prepare("INSERT INTO signal (name, encoding, body) VALUES ('metrics', 'json', ?)")
        .run(Buffer.from(metrics))
    })
    for (let i = 0; i < 2; i++) {
      const viewer = await startViewer({ port: 0, db })
      assert.equal(viewer.restored, 3000)
      const detail = await api<SpanDetail>(viewer, `trace/${traceId(4)}/span/${spanId(3)}`)
      assert.equal(detail.resource['service.name'], 'two')
      assert.deepEqual(detail.scope, { name: 'tests', version: '1' })
      assert.deepEqual(detail.attributes, { 'thread.id': 0 })
      assert.equal((await api<{ name: string }[]>(viewer, 'metrics'))[0]!.name, 'heat')
      await viewer.close()
    }
    change(db, (database) => {
      const tables = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .all()
      assert.deepEqual(
        tables.map(({ name }) => name),
        ['part', 'piece', 'signal', 'trace'],
      )
    })
  })

  it('is refused where a newer one has written it, and stays as it is', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    await post(one, body([span(1, 1, 0)]))
    await one.close()
    for (const [version, why] of [
      [3, /a newer version of threadspan has written it \(format 3, this one reads up to 2\)/],
      [0, /there never was/],
    ] as const) {
      change(db, (database) => database.exec(`PRAGMA user_version = ${version}`))
      await assert.rejects(startViewer({ port: 0, db }), { code: 'THREADSPAN_DB_OPEN', message: why })
    }
    change(db, (database) => database.exec('PRAGMA user_version = 2'))
    const two = await startViewer({ port: 0, db })
    t.after(() => two.close())
    assert.equal(two.restored, 1)
  })

  it('stays as it is where the reading of it is ended', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    for (let i = 1; i <= 50; i++) await post(one, body([span(i, 1, 0), span(i, 2, 1)]))
    await one.close()
    const ended = startViewer({ port: 0, db, signal: AbortSignal.abort(new Error('enough')) })
    await assert.rejects(ended, { message: 'enough' })
    const two = await startViewer({ port: 0, db })
    t.after(() => two.close())
    assert.equal(two.restored, 100)
  })

  it('is one viewer’s alone', async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    t.after(() => one.close())
    await assert.rejects(startViewer({ port: 0, db }), {
      code: 'THREADSPAN_DB_OPEN',
      message: /another viewer has it open/,
    })
  })
})

/** Spans that began this many hours ago, a trace of two for each. */
function aged(hours: number[]) {
  return hours.map((hour, i) => {
    const start = BigInt(Date.now() - hour * 3_600_000) * 1_000_000n
    const time = { startTimeUnixNano: start, endTimeUnixNano: start + 1_000_000n }
    return body([
      span(i + 1, 1, 0, { ...time, name: `h${hour}` }),
      span(i + 1, 2, 1, { ...time, name: `h${hour}` }),
    ])
  })
}

describe('retention', () => {
  it('lets traces go by age, from memory and from the file', { skip }, async (t) => {
    const db = await file(t)
    const one = await startViewer({ port: 0, db })
    // They need not come in the order of their age.
    for (const bytes of aged([1, 30, 2, 26, 0])) await post(one, bytes)
    await one.close()
    const two = await startViewer({ port: 0, db, keep: 24 * 3_600_000 })
    assert.equal(two.restored, 6)
    await two.close()
    const three = await startViewer({ port: 0, db })
    t.after(() => three.close())
    assert.deepEqual([...new Set(await names(three.endpoint))].sort(), ['h0', 'h1', 'h2'])
  })

  it('does so without a file, too, and while it runs', () => {
    const data = new ViewerData({})
    for (const bytes of aged([1, 30, 2, 26, 0])) data.sink.take('traces', 'protobuf', bytes)
    assert.equal(data.store.spans, 10)
    const retention = new Retention(data.store, undefined, { keep: 90 * 60_000 })
    assert.equal(data.store.spans, 4)
    assert.equal(data.store.evicted.spans, 6)
    retention.close()
  })

  it('keeps the file below a size, and gives the room back', { skip }, async (t) => {
    const db = await file(t)
    const most = 1_000_000
    const viewer = await startViewer({ port: 0, db, maxSize: most })
    const text = 'x'.repeat(2000)
    for (let i = 1; i <= 2000; i++) {
      await post(viewer, body([span(i, 1, 0, { at: i, attributes: { text: `${i}${text}` } })]))
    }
    while (viewer.status().spans > 420) await delay(50)
    const traces = await api<TraceSummary[]>(viewer, 'traces?limit=1000')
    assert.equal(traces[0]!.traceId, traceId(2000))
    assert.ok(traces.length > 100, `${traces.length} are left`)
    await viewer.close()
    const { size } = await stat(db)
    assert.ok(size <= most * 1.5, `${size} bytes`)
    const again = await startViewer({ port: 0, db })
    t.after(() => again.close())
    assert.ok(again.restored > 100 && again.restored <= 600)
    assert.equal((await api<TraceSummary[]>(again, 'traces?limit=1'))[0]!.traceId, traceId(2000))
  })

  it('keeps what is in memory where the file cannot be written to any more', {
    skip: skip || process.platform === 'win32',
  }, async (t) => {
    const db = await file(t)
    const script = `
      const { Database } = await import('${dist('viewer/database/database.js')}')
      const { Retention } = await import('${dist('viewer/database/retention.js')}')
      const { ViewerData } = await import('${dist('viewer/data.js')}')
      const { store, sink } = new ViewerData({})
      const database = new Database(process.argv[1], ({ message }) => console.log(message))
      await database.load(sink)
      const bytes = []
      for await (const chunk of process.stdin) bytes.push(chunk)
      sink.take('traces', 'protobuf', Buffer.concat(bytes))
      database.flush()
      new Retention(store, database, { maxSize: 1 }).close()
      console.log(database.failed, store.spans)
      database.close()`
    // The largest file that the process may write: less than comes.
    const child = spawn('sh', [
      '-c',
      'ulimit -f 1000; exec "$0" --input-type=module -e "$1" "$2"',
      process.execPath,
      script,
      db,
    ])
    const text = 'x'.repeat(100_000)
    child.stdin.end(
      body(Array.from({ length: 30 }, (_, i) => span(i + 1, 1, 0, { attributes: { text: `${i}${text}` } }))),
    )
    let output = ''
    for await (const chunk of child.stdout) output += chunk
    assert.match(output, /^.*(?:I\/O error|full)\ntrue 30\n$/)
  })

  it('lets logs leave a file that is bounded before the traces', { skip }, async (t) => {
    const db = await file(t)
    const most = 1_000_000
    const viewer = await startViewer({ port: 0, db, maxSize: most })
    for (let i = 1; i <= 50; i++) await post(viewer, body([span(i, 1, 0, { at: i })]))
    const log = JSON.stringify({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x'.repeat(100_000) } }] }] }],
    })
    const headers = { 'content-type': 'application/json' }
    for (let i = 0; i < 30; i++) {
      const { status } = await fetch(`${viewer.endpoint}/v1/logs`, { method: 'POST', headers, body: log })
      assert.equal(status, 200)
    }
    await viewer.close()
    const { size } = await stat(db)
    assert.ok(size <= most * 1.5, `${size} bytes`)
    const again = await startViewer({ port: 0, db, maxSize: most })
    t.after(() => again.close())
    assert.equal(again.restored, 50)
    const { received } = again.status()
    assert.ok(received.logs > 0 && received.logs <= 3, `${received.logs} records`)
  })
})
