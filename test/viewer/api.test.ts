import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  Distribution,
  ErrorDetail,
  ErrorGroup,
  Series,
  ServiceRow,
  SpanDetail,
  Status,
  Totals,
  TraceColumns,
  TraceSearch,
  TraceSummary,
  TransactionRow,
} from '../../src/viewer/api.js'
import type { Viewer } from '../../src/viewer/server.js'
import { api, body, origin, post, send, span, spanId, traceId, viewer } from './support.js'

const STACK = `TypeError: no such order
    at find (/app/node_modules/lib/index.js:1:1)
    at run (/app/src/orders.js:12:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`

const failure = (at: number) => ({
  timeUnixNano: BigInt(Math.round(origin + at)) * 1_000_000n,
  name: 'exception',
  attributes: {
    'exception.type': 'TypeError',
    'exception.message': `no order ${at}`,
    'exception.stacktrace': STACK,
  },
  droppedAttributesCount: 0,
})

const WEB = {
  'service.name': 'web',
  'process.pid': 10,
  'host.name': 'h1',
  'telemetry.sdk.language': 'nodejs',
}
const CHILD = { 'service.name': 'web', 'process.pid': 11, 'host.name': 'h1' }

/** Ten requests of 10 to 100 ms, the last one failing in a thread; its child process has spans too. */
async function fill(target: Viewer): Promise<void> {
  for (let i = 1; i <= 10; i++) {
    const status = i === 10 ? 500 : 200
    const root = span(i, 1, 0, {
      name: i % 2 === 0 ? 'GET /a' : 'GET /b',
      kind: 2,
      at: i * 1000,
      lasts: i * 10,
      attributes: {
        'http.route': '/a',
        'http.response.status_code': status,
        'thread.id': 0,
        'thread.name': 'main',
      },
      status: { code: status === 500 ? 2 : 0, message: '' },
    })
    const task = span(i, 2, 1, {
      name: 'task',
      at: i * 1000 + 2,
      lasts: 5,
      attributes: {
        'thread.id': 1 + (i % 2),
        'threadspan.queue.wait': 1.25,
        'db.query.text': 'SELECT 1',
        secret: `needle-${i}`,
      },
      ...(i === 10 ? { status: { code: 2 as const, message: 'failed' }, events: [failure(i)] } : {}),
      links: [
        {
          traceId: traceId(i),
          spanId: spanId(1),
          traceState: '',
          attributes: {},
          droppedAttributesCount: 0,
          flags: 0,
        },
      ],
    })
    assert.equal((await post(target, body([task, root], WEB))).status, 200)
  }
  const dead = span(10, 4, 3, {
    name: 'open',
    at: 10_004,
    lasts: 1,
    attributes: { 'threadspan.closed': 'SIGKILL' },
    status: { code: 2, message: '' },
  })
  await post(target, body([span(10, 3, 1, { name: 'child', at: 10_003, lasts: 4 }), dead], CHILD))
}

describe('the API', () => {
  it('sums up services, transactions and their latency', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const [service, ...others] = await api<ServiceRow[]>(target, 'services')
    assert.deepEqual(others, [])
    assert.deepEqual(
      [service!.service, service!.count, service!.errors, service!.processes],
      ['web', 11, 1, 2],
    )
    assert.equal(service!.language, 'nodejs')
    const rows = await api<TransactionRow[]>(target, 'transactions')
    const byName = new Map(rows.map((row) => [row.name, row]))
    const a = byName.get('GET /a')!
    assert.deepEqual([a.count, a.errors, a.p50, a.p95, a.mean], [5, 1, 60, 100, 60])
    assert.equal(a.threads, 1)
    assert.ok(Math.abs(rows.reduce((sum, { impact }) => sum + impact, 0) - 1) < 1e-9)
    // 10 requests and the child's from second 1 to the end of the last request: ten spaces between them.
    assert.equal(service!.throughput, 60_000 * (10 / 9100))
    assert.equal(
      service!.trend.reduce((a, b) => a + b),
      11,
    )
    const child = byName.get('child')!
    assert.deepEqual([child.count, child.errors, child.threads], [1, 0, 0])
  })

  it('reckons rates by one rule: one alone is one per minute, many within seconds are many', async (t) => {
    const target = await viewer(t)
    const send = (from: number, to: number, every: number) =>
      post(
        target,
        body(
          Array.from({ length: to - from + 1 }, (_, i) =>
            span(from + i, 1, 0, { name: 'GET /', kind: 2, at: (from + i - 1) * every, lasts: 0 }),
          ),
        ),
      )
    const perMinute = async (query = '') =>
      (await api<TransactionRow[]>(target, `transactions${query}`)).find(({ name }) => name === 'GET /')!
        .throughput
    const rounded = async () => Math.round(await perMinute())
    await send(1, 1, 100)
    assert.equal(await perMinute(), 1)
    // A time that is asked for changes nothing of that.
    assert.equal(await perMinute(`?from=${origin - 500}&to=${origin + 500}`), 1)
    let last = 1
    for (let i = 2; i <= 20; i++) {
      await send(i, i, 100)
      const now = await rounded()
      // At a steady pace nothing jumps, as it would from one rule to another.
      assert.ok(now >= last && now - last <= 60, `${i}: ${now} after ${last}`)
      last = now
    }
    assert.equal(last, 600)
    const { now, before } = await api<Totals>(target, `totals?from=${origin - 1}&to=${origin + 119_999}`)
    assert.deepEqual([now.throughput, before?.count], [10, 0])
    const later = await api<Totals>(target, `totals?from=${origin + 950}&to=${origin + 1950}`)
    assert.deepEqual([later.now.count, later.before?.count], [10, 10])
  })

  it('filters by every parameter', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const count = async (query: string) => (await api<TraceSummary[]>(target, `traces?${query}`)).length
    assert.equal(await count(''), 10)
    assert.equal(await count('service=web'), 10)
    assert.equal(await count('service=other'), 0)
    assert.equal(await count('transaction=GET%20%2Fb'), 5)
    assert.equal(await count('host=h1'), 10)
    assert.equal(await count('host=h2'), 0)
    assert.equal(await count('status=500'), 1)
    assert.equal(await count('status=error'), 1)
    assert.equal(await count('status=ok'), 10)
    assert.equal(await count(`from=${origin + 9000}`), 2)
    assert.equal(await count(`to=${origin + 2000}`), 2)
    assert.equal(await count('min=30&max=50'), 3)
    assert.equal(await count('limit=4'), 4)
    assert.equal(await count('search=NEEDLE-7'), 1)
    assert.equal(await count('search=needle-7%20select'), 1)
    assert.equal(await count('search=needle-7%20nothing'), 0)
    assert.equal(await count('search=500'), 1)
    assert.equal(await count('search=1.25'), 10)
    assert.equal(await count('search=no%20order'), 1)
    const bad = await send(`${target.endpoint}/api/traces?from=yesterday`)
    assert.equal(bad.status, 400)
    assert.deepEqual((bad.json() as { code: string }).code, 'THREADSPAN_FILTER')
  })

  it('searches by one grammar, in lists and within a trace', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const found = async (search: string) => {
      const query = new URLSearchParams({ search })
      const [list, { spans }] = [
        await api<TraceSummary[]>(target, `traces?${query}`),
        await api<TraceSearch>(target, `trace/${traceId(10)}/search?${query}`),
      ]
      return [list.length, spans.length]
    }
    for (const [search, traces, spans] of [
      ['http.response.status_code=500', 1, 1],
      ['http.response.status_code>=500', 1, 1],
      ['http.response.status_code!=200', 1, 1],
      ['HTTP.route=/a', 0, 0],
      ['http.route=/A', 10, 1],
      ['secret=needle-7', 1, 0],
      ['duration>=100ms', 1, 1],
      ['duration>0.09s -is:root', 0, 0],
      ['is:error', 1, 3],
      ['is:error thread=2', 0, 0],
      ['is:error thread=1', 1, 1],
      ['is:waiting', 10, 1],
      ['is:closed', 1, 1],
      ['is:root', 10, 1],
      ['is:transaction kind=server', 10, 1],
      ['typeerror', 1, 1],
      ['exception.type=TypeError', 1, 1],
      ['"select 1"', 10, 1],
      ['host.name=h1 name=child', 1, 1],
      ['service=web status=ok -kind=server -name=task', 1, 1],
      [`${traceId(10).slice(0, 31)}`, 10, 4],
      [spanId(4), 1, 1],
      ['process.pid=11', 1, 2],
    ] as const) {
      assert.deepEqual(await found(search), [traces, spans], search)
    }
    for (const path of ['traces', 'transactions', `trace/${traceId(10)}/search`]) {
      const answer = await send(`${target.endpoint}/api/${path}?search=is:slow`)
      assert.equal(answer.status, 400, path)
      assert.match((answer.json() as { message: string }).message, /“is:slow” is not known/)
    }
  })

  it('answers questions of structure: children, spans below, siblings and their number', async (t) => {
    const target = await viewer(t)
    const step = (id: number, parent: number, name: string, lasts = 1) => span(1, id, parent, { name, lasts })
    await post(
      target,
      body([
        span(1, 1, 0, { name: 'GET /', kind: 2, lasts: 100 }),
        step(2, 1, 'load'),
        step(3, 2, 'SELECT', 60),
        step(4, 2, 'SELECT', 5),
        step(5, 1, 'render'),
        step(6, 5, 'SELECT', 70),
        // They are each other's parents.
        step(7, 8, 'round'),
        step(8, 7, 'and round'),
        span(2, 1, 0, { name: 'SELECT', lasts: 90 }),
      ]),
    )
    for (const [search, traces, ids] of [
      ['{ name="GET /" } >> { name=SELECT && duration>50ms }', 1, [3, 6]],
      ['{ name="GET /" } > { name=SELECT }', 0, []],
      ['{ name=load }>{name=SELECT}', 1, [3, 4]],
      ['{ name=SELECT duration>50ms } ~ { name=SELECT }', 1, [4]],
      ['{ name=SELECT } | count() > 2', 1, [3, 4, 6]],
      ['{ name=SELECT } | count() > 3', 0, []],
      ['{ name="GET /" } > { } > { name=SELECT } | count()=3', 1, [3, 4, 6]],
      ['{ name=round } >> { name="and round" }', 1, [8]],
      ['{ name="a } b" }', 0, []],
    ] as const) {
      const query = new URLSearchParams({ search })
      assert.equal((await api<TraceSummary[]>(target, `traces?${query}`)).length, traces, search)
      const { spans } = await api<TraceSearch>(target, `trace/${traceId(1)}/search?${query}`)
      const columns = await api<TraceColumns>(target, `trace/${traceId(1)}`)
      assert.deepEqual(spans.map((place) => columns.id[place]).sort(), ids.map(spanId), search)
    }
    for (const search of [
      '{ a',
      '{ a } >>',
      '{ a } b',
      '{a} | count() > x',
      '{}>{}>{}>{}>{}>{}',
      '{ is:slow }',
    ]) {
      const query = new URLSearchParams({ search })
      assert.equal((await send(`${target.endpoint}/api/traces?${query}`)).status, 400, search)
    }
    assert.equal((await send(`${target.endpoint}/api/logs?search=%7Ba%7D`)).status, 400)
  })

  it('lists traces newest first, with what is wrong with them', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const [latest, before] = await api<TraceSummary[]>(target, 'traces')
    assert.deepEqual(latest, {
      traceId: traceId(10),
      service: 'web',
      name: 'GET /a',
      start: origin + 10_000,
      duration: 100,
      spans: 4,
      errors: 3,
      threads: 3,
      processes: 2,
      status: '500',
      failed: true,
      path: '/a',
      orphans: 0,
    })
    assert.equal(before!.traceId, traceId(9))
    assert.equal(before!.status, '200')
  })

  it('gives series and distributions that add up', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const series = await api<Series>(target, 'series?service=web')
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
    assert.equal(sum(series.count), 11)
    assert.equal(sum(series.errors), 1)
    assert.equal(series.times.length, series.p95.length)
    assert.ok(series.times.length <= 121)
    assert.deepEqual(
      series.p50.map((value) => value === null),
      series.count.map((count) => count === 0),
    )
    const { buckets, statuses, hosts } = await api<Distribution>(target, 'distribution')
    assert.equal(sum(buckets.map(({ count }) => count)), 11)
    assert.equal(buckets.find(({ from }) => from === 100)?.errors, 1)
    for (const [i, bucket] of buckets.entries()) if (i > 0) assert.equal(bucket.from, buckets[i - 1]!.to)
    assert.deepEqual(
      statuses.sort((a, b) => b.count - a.count),
      [
        { status: '200', count: 9 },
        { status: '500', count: 1 },
        { status: 'ok', count: 1 },
      ],
    )
    assert.deepEqual(hosts, [{ host: 'h1', count: 11 }])
  })

  it('gives one trace in columns', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const columns = await api<TraceColumns>(target, `trace/${traceId(10)}`)
    assert.deepEqual(columns.id, [1, 2, 3, 4].map(spanId))
    assert.deepEqual(columns.parent, [-1, 0, 0, 2])
    assert.deepEqual(columns.start, [0, 2, 3, 4])
    assert.deepEqual(columns.end, [100, 7, 7, 5])
    assert.deepEqual(columns.flags, [33, 17, 32, 5])
    assert.deepEqual(columns.wait, [0, 1.25, 0, 0])
    assert.deepEqual(columns.links, [[0, 1]])
    assert.deepEqual(
      columns.label.map((label) => (label < 0 ? null : columns.strings[label])),
      ['/a', 'SELECT 1', null, null],
    )
    assert.deepEqual(
      columns.thread.map((thread) => columns.threads[thread]!.label),
      ['main', 'thread 1', 'process', 'process'],
    )
    assert.deepEqual(
      columns.processes.map(({ label, pid }) => [label, pid]),
      [
        ['web · 10', 10],
        ['web · 11', 11],
      ],
    )
    assert.equal(columns.origin, origin + 10_000)
    assert.equal(columns.truncated, 0)
  })

  it('marks orphans and cycles, and keeps nanoseconds', async (t) => {
    const target = await viewer(t)
    const spans = [
      span(1, 1, 0, { at: 0, lasts: 0.000001 }),
      span(1, 2, 77, { at: 0.000001, lasts: 0.000002 }),
      span(1, 3, 4, { at: 1 }),
      span(1, 4, 3, { at: 2 }),
    ]
    await post(target, body(spans))
    const columns = await api<TraceColumns>(target, `trace/${traceId(1)}`)
    assert.deepEqual(columns.parent, [-1, -2, 3, 2])
    assert.deepEqual(columns.flags, [32, 2, 8, 8])
    assert.equal(columns.start[1], 0.000001)
    assert.equal((await api<Status>(target, 'status')).orphans, 1)
    await post(target, body([span(1, 77, 1)]))
    assert.equal((await api<Status>(target, 'status')).orphans, 0)
  })

  it('gives a span with everything it has', async (t) => {
    const target = await viewer(t)
    const attributes = {
      big: 2n ** 62n,
      bytes: Uint8Array.of(1, 2),
      nan: Number.NaN,
      nested: { list: [1, 'x', null] },
    }
    const full = span(1, 1, 2, {
      kind: 3,
      attributes,
      status: { code: 1, message: '' },
      droppedAttributesCount: 3,
      traceState: 'a=b',
      events: [failure(1)],
    })
    await post(target, body([full]))
    const record = {
      timeUnixNano: String(BigInt(origin) * 1_000_000n),
      severityNumber: 17,
      body: { stringValue: 'it failed' },
      traceId: traceId(1).toUpperCase(),
      spanId: spanId(1),
      attributes: [{ key: 'k', value: { stringValue: 'v' } }],
    }
    const logs = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
    assert.equal(
      (await post(target, Buffer.from(logs), { 'content-type': 'application/json' }, 'logs')).status,
      200,
    )
    const detail = await api<SpanDetail>(target, `trace/${traceId(1)}/span/${spanId(1)}`)
    assert.deepEqual(detail.attributes, {
      big: '4611686018427387904',
      bytes: 'AQI=',
      nan: 'NaN',
      nested: { list: [1, 'x', null] },
    })
    assert.deepEqual([detail.kind, detail.status.code, detail.traceState], ['client', 'ok', 'a=b'])
    assert.equal(detail.parentSpanId, spanId(2))
    assert.deepEqual(detail.dropped, { attributes: 3, events: 0, links: 0 })
    assert.equal(detail.events[0]!.attributes['exception.type'], 'TypeError')
    assert.deepEqual(detail.scope, { name: 'tests', version: '1' })
    assert.equal(detail.resource['service.name'], 'orders')
    assert.deepEqual(detail.logs, [
      { time: origin, severity: 'error', body: 'it failed', attributes: { k: 'v' } },
    ])
  })

  it('groups errors by type and place, each once where it began', async (t) => {
    const target = await viewer(t)
    await fill(target)
    const groups = await api<ErrorGroup[]>(target, 'errors')
    const byType = new Map(groups.map((group) => [group.type, group]))
    assert.deepEqual([...byType.keys()].sort(), ['TypeError', 'closed'])
    const group = byType.get('TypeError')!
    assert.deepEqual([group.culprit, group.count, group.transactions], ['src/orders.js:12', 1, ['GET /a']])
    const detail = await api<ErrorDetail>(target, `errors/${group.fingerprint}`)
    const [occurrence] = detail.occurrences
    assert.equal(occurrence!.spanId, spanId(2))
    assert.equal(occurrence!.message, 'no order 10')
    assert.deepEqual(
      occurrence!.stack.map(({ file, line, library }) => [file, line, library]),
      [
        ['/app/node_modules/lib/index.js', 1, true],
        ['/app/src/orders.js', 12, false],
        ['node:internal/process/task_queues', 95, true],
      ],
    )
    const closed = await api<ErrorDetail>(target, `errors/${byType.get('closed')!.fingerprint}`)
    assert.equal(closed.occurrences[0]!.closed, 'SIGKILL')
    assert.equal(closed.occurrences[0]!.transaction, 'child')
    // The same error passes through three spans.
    const passing = [1, 2, 3].map((id) =>
      span(20, id, id - 1, { events: [failure(5)], status: { code: 2, message: 'x' } }),
    )
    await post(target, body(passing, WEB))
    assert.equal((await api<ErrorDetail>(target, `errors/${group.fingerprint}`)).count, 2)
    assert.deepEqual(
      (await api<ErrorGroup[]>(target, 'errors?transaction=child')).map(({ type }) => type),
      ['closed'],
    )
  })

  it('exports a trace as OTLP JSON that can be imported, and for Chrome with a track per thread', async (t) => {
    const target = await viewer(t)
    const other = await viewer(t)
    await fill(target)
    const otlp = await send(`${target.endpoint}/api/trace/${traceId(10)}/export?format=otlp`)
    assert.match(
      String(otlp.headers['content-disposition']),
      /^attachment; filename="trace-0+a\.otlp\.json"$/,
    )
    const imported = await send(`${other.endpoint}/api/import`, { body: otlp.body })
    assert.deepEqual(imported.json(), { spans: 4, rejected: 0 })
    assert.deepEqual(await api(other, `trace/${traceId(10)}`), await api(target, `trace/${traceId(10)}`))
    const all = await send(`${target.endpoint}/api/export`)
    assert.equal(all.body.toString().trimEnd().split('\n').length, 10)
    const rest = await send(`${other.endpoint}/api/import`, {
      body: Buffer.concat([all.body, Buffer.from('{"half')]),
    })
    assert.deepEqual(rest.json(), { spans: 18, rejected: 1 })
    const chrome = (
      await send(`${target.endpoint}/api/trace/${traceId(10)}/export?format=chrome`)
    ).json() as {
      traceEvents: {
        ph: string
        name: string
        pid: number
        tid: number
        ts?: number
        dur?: number
        args?: { name?: string }
      }[]
    }
    const tracks = chrome.traceEvents.filter(({ name }) => name === 'thread_name')
    assert.deepEqual(
      tracks.map(({ args }) => args!.name),
      ['main', 'thread 1', 'process'],
    )
    assert.equal(new Set(tracks.map(({ pid, tid }) => `${pid}/${tid}`)).size, 3)
    const task = chrome.traceEvents.find(({ name }) => name === 'task')!
    assert.deepEqual([task.ph, task.ts, task.dur], ['X', 2000, 5000])
    assert.equal((await send(`${target.endpoint}/api/trace/${traceId(10)}/export?format=x`)).status, 400)
  })

  it('answers what is not there with 404, and other methods with 405', async (t) => {
    const target = await viewer(t)
    for (const path of [
      'x',
      `trace/${traceId(1)}`,
      `trace/${traceId(1)}/span/${spanId(1)}`,
      'errors/0123456789abcdef',
      'metrics/%E0',
      'trace/zz',
    ]) {
      const answer = await send(`${target.endpoint}/api/${path}`)
      assert.equal(answer.status, 404, path)
      assert.equal((answer.json() as { code: string }).code, 'THREADSPAN_NOT_FOUND')
    }
    assert.equal((await send(`${target.endpoint}/api/status`, { method: 'DELETE' })).status, 405)
    assert.equal((await send(`${target.endpoint}/api/import`)).status, 405)
    assert.equal((await send(`${target.endpoint}/other`)).status, 404)
  })

  it('serves the page under a policy that lets nothing else run and nothing leave', async (t) => {
    const target = await viewer(t)
    const page = await send(target.url)
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    const policy = String(page.headers['content-security-policy'])
    for (const part of [
      "default-src 'none'",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'none'",
    ]) {
      assert.ok(policy.includes(part), part)
    }
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    assert.equal(page.headers['x-content-type-options'], 'nosniff')
    assert.equal(page.headers['referrer-policy'], 'no-referrer')
  })
})
