import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fanoutTraces, findProblems } from '#dist/cli/demo/check.js'
import { renderRoutes, routeStats } from '#dist/cli/demo/routes.js'
import { readSpans } from '#dist/cli/spans-file.js'
import { startViewer } from '#dist/viewer/server.js'
import type { ErrorDetail, ErrorGroup, LogList } from '../../src/viewer/api.js'
import { dist } from '../support/dist.js'
import { plainEnvironment, threadspan } from './cli.js'

const rounds = 3
const sent = new Map([
  ['/', 3],
  ['/delay', 3],
  ['/upstream', 9],
  ['/5xx', 3],
  ['/sql-write', 3],
  ['/sql-read', 3],
  ['/sql-group', 3],
  ['/fanout', 3],
])

describe('threadspan demo', async () => {
  const { code, stdout, stderr } = await threadspan(['demo', '--rounds', String(rounds)]).ended
  const file = /spans in \d+ traces: (\S+)/.exec(stdout)?.[1] ?? 'none'
  const spans = await readSpans(file)
  after(() => rmSync(dirname(file), { recursive: true, force: true }))

  test('all that it expects arrives', () => {
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stderr, '')
    assert.match(stdout, /^ GET \/fanout/m)
    assert.match(stdout, /^ GET \/upstream +9 +[\d.]+ +[\d.]+ +3$/m)
    assert.deepEqual(findProblems(spans, sent), [])
  })

  test('its metrics and log records go where the environment says, as its spans do', async (t) => {
    const viewer = await startViewer({ port: 0 })
    t.after(() => viewer.close())
    const run = await threadspan(['demo', '--rounds', '1'], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: viewer.endpoint },
    }).ended
    const own = /spans in \d+ traces: (\S+)/.exec(run.stdout)?.[1]
    t.after(() => own !== undefined && rmSync(dirname(own), { recursive: true, force: true }))
    assert.equal(run.code, 0, run.stdout + run.stderr)
    const { received } = viewer.status()
    assert.ok(received.spans > 50 && received.metrics > 50 && received.logs > 10, JSON.stringify(received))
  })

  test('nothing but the data is left behind', () => {
    assert.deepEqual(readdirSync(dirname(file)), ['threadspan-demo.jsonl'])
  })

  test('every span that is missing, doubled or misplaced is noticed', () => {
    for (const lost of spans) {
      // An inner span of a trace whose spans are not counted one by one has nothing but its children to miss it.
      const problems = findProblems(
        spans.filter((member) => member !== lost),
        sent,
      )
      const { name, kind, attributes } = lost.span
      const counted =
        kind === 2 || 'db.query.text' in attributes || fanoutTraces(spans).includes(lost.span.traceId)
      if (counted) assert.notDeepEqual(problems, [], `${name} can be lost unnoticed`)
    }
    assert.notDeepEqual(findProblems([...spans, spans[0]!], sent), [])
    const root = spans.find(({ span }) => span.parentSpanId === '')!
    const orphaned = spans.map((member) =>
      member === root ? { ...root, span: { ...root.span, parentSpanId: '0123456789abcdef' } } : member,
    )
    assert.notDeepEqual(findProblems(orphaned, sent), [])
  })

  test('figures are those of the transactions of one service', () => {
    const [stats] = routeStats(
      spans.filter(({ span }) => span.name === 'GET /delay'),
      'threadspan-demo',
    )
    assert.equal(stats?.count, 3)
    assert.ok(stats.p50 > 0 && stats.p50 <= stats.p95)
    assert.deepEqual(routeStats(spans, 'another'), [])
    assert.equal(
      renderRoutes([{ name: 'GET /', count: 12, p50: 1.25, p95: 10, errors: 1 }]),
      ' transaction   count   p50 ms   p95 ms   errors\n GET /            12      1.3     10.0        1\n',
    )
  })
})

test('an endpoint is sent the spans too, and one that is down does not keep them from the file', async () => {
  const { code, stdout } = await threadspan(['demo', '--rounds', '1'], {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  }).ended
  const file = /spans in \d+ traces: (\S+)/.exec(stdout)?.[1]
  if (file !== undefined) rmSync(dirname(file), { recursive: true })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /also sent to http:\/\/127\.0\.0\.1:9/)
})

describe('installed in a folder that has nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-bare-'))
  after(() => rmSync(folder, { recursive: true }))
  const modules = join(folder, 'node_modules')
  const own = join(modules, 'threadspan')
  cpSync(dirname(fileURLToPath(dist('index.js'))), join(own, 'dist'), { recursive: true })
  cpSync('package.json', join(own, 'package.json'))
  const main = join(own, 'dist/cli/main.js')

  test('it names the API where that is missing', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'demo'], {
      encoding: 'utf8',
      env: plainEnvironment(),
    })
    assert.equal(status, 1)
    assert.match(stderr, /^ {2}npm install @opentelemetry\/api$/m)
    assert.match(stderr, /\(THREADSPAN_DEMO_PACKAGES\)$/m)
  })

  test('it runs with what npm installs of itself, has log records, and knows its own frames', async (t) => {
    for (const name of ['@opentelemetry/api', 'tslib', 'async-hook-domain'])
      cpSync(join('node_modules', name), join(modules, name), { recursive: true })
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'demo', '--rounds', '1'], {
      encoding: 'utf8',
      cwd: folder,
      env: plainEnvironment(),
    })
    const data = /spans in \d+ traces: (\S+)/.exec(stdout)?.[1] ?? 'none'
    t.after(() => rmSync(dirname(data), { recursive: true, force: true }))
    assert.equal(status, 0, stdout + stderr)
    assert.equal(stderr, '')
    const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined
    assert.equal(/^ GET \/sql-read/m.test(stdout), hasSqlite)
    assert.equal(stdout.includes('this Node.js has no SQLite'), !hasSqlite)

    const viewer = await startViewer({ port: 0 })
    t.after(() => viewer.close())
    await viewer.load(data)
    const ask = async (path: string) => (await fetch(new URL(path, viewer.url))).json()
    const { logs } = (await ask('/api/logs')) as LogList
    assert.ok(logs.some(({ body, traceId }) => body === 'request completed' && traceId !== ''))
    const groups = (await ask('/api/errors')) as ErrorGroup[]
    const group = groups.find(({ message }) => /warehouse/.test(message))!
    const { occurrences } = (await ask(`/api/errors/${group.fingerprint}`)) as ErrorDetail
    const frames = occurrences[0]!.stack
    const ownFrames = frames.filter(({ library }) => !library).map(({ file }) => file)
    assert.deepEqual(ownFrames, [join(own, 'dist/cli/demo/app/service.js')])
    assert.ok(frames.some(({ file, library }) => library && file.includes('fastify')))
  })
})
