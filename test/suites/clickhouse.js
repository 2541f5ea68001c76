// `threadspan view --from clickhouse+…` against ClickHouse itself: its engine as npm's chdb has it, with the columns of the table that the
// OpenTelemetry Collector's exporter makes. The HTTP interface before it is this file's own, as ClickHouse documents it.
// Usage: node test/suites/clickhouse.js
// Needs npm and the network (200 MB); everything goes to a temporary folder that is removed at the end.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHDB = 'chdb@3.4.0'
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
if (!existsSync(main)) {
  console.error('There is no build. Run `npm run build` first.')
  process.exit(2)
}

const MAP = 'Map(LowCardinality(String), String)'
const columns = (attributes) => `
  Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
  SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
  ResourceAttributes ${attributes}, ScopeName String, ScopeVersion String, SpanAttributes ${attributes}, Duration UInt64,
  StatusCode LowCardinality(String), StatusMessage String,
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes ${attributes}),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes ${attributes})`

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const START = BigInt(Date.now() - 60_000) * 1_000_000n + 123_456n
/** A key and a value that would be a part of the statement, if they were not parameters. */
const ODD = ["o'dd\\key", "'; DROP TABLE otel_traces --\t\\"]

const attributes = (worker) => ({
  'thread.id': String(worker),
  'threadspan.queue.wait': worker === 0 ? '0' : '2.25',
  'http.response.status_code': '200',
  [ODD[0]]: ODD[1],
})

const rows = [0, 1, 2].map((worker) => ({
  Timestamp: `${(START + BigInt(worker)) / 1_000_000_000n}.${String((START + BigInt(worker)) % 1_000_000_000n).padStart(9, '0')}`,
  TraceId: TRACE,
  SpanId: `b7ad6b716920333${worker + 1}`,
  ParentSpanId: worker === 0 ? '' : 'b7ad6b7169203331',
  TraceState: '',
  SpanName: worker === 0 ? 'GET /' : 'task',
  SpanKind: worker === 0 ? 'Server' : 'Internal',
  ServiceName: 'shop',
  ResourceAttributes: { 'service.name': 'shop', 'process.pid': '42' },
  ScopeName: 'tests',
  ScopeVersion: '1',
  SpanAttributes: attributes(worker),
  Duration: 5_000_001,
  StatusCode: worker === 0 ? 'Error' : 'Unset',
  StatusMessage: '',
  'Events.Timestamp': worker === 0 ? ['1790000000.000000001'] : [],
  'Events.Name': worker === 0 ? ['exception'] : [],
  'Events.Attributes': worker === 0 ? [{ 'exception.type': 'X' }] : [],
  'Links.TraceId': worker === 2 ? [TRACE] : [],
  'Links.SpanId': worker === 2 ? ['b7ad6b7169203332'] : [],
  'Links.TraceState': worker === 2 ? [''] : [],
  'Links.Attributes': worker === 2 ? [{ a: 'b' }] : [],
}))

/** What a value of the address stands for: as in tab-separated text. */
function unescaped(text) {
  const letters = { t: '\t', n: '\n', r: '\r', 0: '\0' }
  return text.replace(/\\(.)/gs, (_, letter) => letters[letter] ?? letter)
}

function view(...argv) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [main, 'view', ...argv, '--export', 'otlp'], (error, stdout, stderr) => {
      if (error !== null) reject(new Error(stderr))
      else resolve(stdout.trim() === '' ? [] : spansOf(JSON.parse(stdout)))
    })
  })
}

const spansOf = ({ resourceSpans }) =>
  resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

const folder = mkdtempSync(join(tmpdir(), 'threadspan-clickhouse-'))
let server
try {
  writeFileSync(join(folder, 'package.json'), '{}')
  const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', CHDB], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(installed.status, 0, installed.stderr)
  const { Session } = createRequire(join(folder, 'package.json'))('chdb')
  const session = new Session(join(folder, 'data'))
  session.query('CREATE DATABASE otel')
  for (const [table, type] of [
    ['otel_traces', MAP],
    ['otel_traces_json', 'JSON'],
  ]) {
    session.query(
      `CREATE TABLE otel.${table} (${columns(type)}) ENGINE = MergeTree ORDER BY (ServiceName, SpanName, Timestamp)`,
    )
    const lines = rows.map((row) => JSON.stringify(row)).join('\n')
    session.query(`INSERT INTO otel.${table} FORMAT JSONEachRow ${lines}`)
  }
  server = createServer(async (request, response) => {
    let sql = ''
    for await (const chunk of request) sql += chunk
    const { pathname, searchParams } = new URL(request.url, 'http://clickhouse')
    if (pathname === '/ping') return response.end('Ok.\n')
    if (sql === '') return response.writeHead(404).end()
    const values = {}
    for (const [key, value] of searchParams) {
      if (key.startsWith('param_')) values[key.slice(6)] = key === 'param_ids' ? value : unescaped(value)
    }
    try {
      response.end(session.queryBind(sql, values))
    } catch (error) {
      response.writeHead(500).end(error.message)
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const from = `http://127.0.0.1:${server.address().port}/otel`
  for (const table of ['otel_traces', 'otel_traces_json']) {
    const spans = await view('--from', `${from}?table=${table}`, '--trace', TRACE)
    assert.equal(spans.length, 3)
    const [root, , last] = spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1))
    assert.equal(root.startTimeUnixNano, String(START))
    assert.equal(root.endTimeUnixNano, String(START + 5_000_001n))
    assert.deepEqual(root.status, { code: 2 })
    assert.equal(root.events[0].timeUnixNano, '1790000000000000001')
    const values = Object.fromEntries(last.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
    assert.equal(values['thread.id'], '2')
    assert.equal(values['threadspan.queue.wait'], 2.25)
    assert.equal(values[ODD[0]], ODD[1])
    assert.deepEqual(last.links[0].spanId, 'b7ad6b7169203332')
    console.log(`${table}: a trace, with its threads, waits, events and links`)
  }
  const search = (...more) => view('--from', `clickhouse+${from}`, ...more)
  assert.equal((await search()).length, 3)
  assert.equal((await search('--service', 'shop', '--attribute', `${ODD[0]}=${ODD[1]}`)).length, 3)
  assert.equal((await search('--attribute', 'thread.id=1', '--min-duration', '5ms')).length, 3)
  assert.equal((await search('--attribute', 'thread.id=7')).length, 0)
  assert.equal((await search('--service', "x' OR 1 = 1 --")).length, 0)
  assert.equal((await search('--min-duration', '6ms')).length, 0)
  assert.equal((await search('--since', '30s')).length, 0)
  await assert.rejects(
    search('--service', 'x', '--since', '1h').then(() => view('--from', `clickhouse+${from}?table=none`)),
    {
      message: /it answered 500.*none.*THREADSPAN_SOURCE_ANSWER/s,
    },
  )
  console.log(`searches, on ClickHouse ${session.query('SELECT version()', 'TSV').trim()}`)
  session.close()
} finally {
  server?.close()
  rmSync(folder, { recursive: true, force: true })
}
