import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Sample, SpanDetail, TraceColumns, TraceSummary } from '../../src/viewer/api.js'
import { api, send, viewer } from './support.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SHORT = '00000000000000000a1b2c3d4e5f6071'

/** As `GET /api/traces/{id}` of Jaeger answers, of a service that has a pool of Workers. */
const JAEGER = {
  data: [
    {
      traceID: TRACE,
      spans: [
        {
          traceID: TRACE,
          spanID: 'b7ad6b7169203331',
          flags: 1,
          operationName: 'GET /report',
          references: [],
          startTime: 1790000000000000,
          duration: 100000,
          tags: [
            { key: 'span.kind', type: 'string', value: 'server' },
            { key: 'thread.id', type: 'int64', value: 0 },
            { key: 'thread.name', type: 'string', value: 'main' },
            { key: 'http.response.status_code', type: 'int64', value: 500 },
            { key: 'error', type: 'bool', value: true },
            { key: 'otel.status_description', type: 'string', value: 'it broke' },
            { key: 'otel.scope.name', type: 'string', value: 'threadspan' },
            { key: 'otel.scope.version', type: 'string', value: '0.1.0' },
            { key: 'w3c.tracestate', type: 'string', value: 'a=1' },
            { key: 'big', type: 'int64', value: '9007199254740993' },
            { key: 'ratio', type: 'float64', value: 0.5 },
          ],
          logs: [
            {
              timestamp: 1790000000050000,
              fields: [
                { key: 'event', type: 'string', value: 'exception' },
                { key: 'exception.type', type: 'string', value: 'RangeError' },
              ],
            },
          ],
          processID: 'p1',
          warnings: null,
        },
        ...[1, 2].map((worker) => ({
          traceID: TRACE,
          spanID: `b7ad6b716920333${worker + 1}`,
          operationName: 'resize',
          references: [
            { refType: 'CHILD_OF', traceID: TRACE, spanID: 'b7ad6b7169203331' },
            { refType: 'FOLLOWS_FROM', traceID: TRACE, spanID: 'b7ad6b7169203339' },
          ],
          startTime: 1790000000020000,
          duration: 70000,
          tags: [
            { key: 'thread.id', type: 'int64', value: worker },
            { key: 'threadspan.queue.wait', type: 'float64', value: 15.5 },
          ],
          logs: [],
          processID: 'p1',
        })),
      ],
      processes: {
        p1: {
          serviceName: 'shop',
          tags: [
            { key: 'hostname', type: 'string', value: 'host-1' },
            { key: 'process.pid', type: 'int64', value: 42 },
          ],
        },
      },
    },
  ],
  total: 0,
  limit: 0,
  offset: 0,
  errors: null,
}

const endpoint = (serviceName: string) => ({ serviceName, ipv4: '127.0.0.1', port: 8080 })

/** A client and a server that share an id, as Zipkin's own tracers have it, and a query of the server's. */
const ZIPKIN = [
  {
    traceId: '0a1b2c3d4e5f6071',
    id: '0a1b2c3d4e5f6071',
    kind: 'CLIENT',
    name: 'get /orders',
    timestamp: 1790000000000000,
    duration: 30000,
    localEndpoint: endpoint('front'),
    remoteEndpoint: endpoint('back'),
  },
  {
    traceId: '0a1b2c3d4e5f6071',
    parentId: '0a1b2c3d4e5f6071',
    id: '1111111111111111',
    kind: 'CLIENT',
    name: 'query',
    timestamp: 1790000000012000,
    duration: 5000,
    localEndpoint: endpoint('back'),
    annotations: [{ timestamp: 1790000000013000, value: 'wire' }],
    tags: { 'db.query.text': 'SELECT 1', error: 'deadlock', 'process.pid': '7', 'thread.id': '3' },
  },
  {
    traceId: '0a1b2c3d4e5f6071',
    id: '0a1b2c3d4e5f6071',
    kind: 'server',
    shared: true,
    name: 'get /orders',
    timestamp: 1790000000010000,
    duration: 10000,
    localEndpoint: endpoint('back'),
    tags: { 'http.response.status_code': '200', 'otel.status_code': 'OK' },
  },
]

async function load(t: TestContext, value: unknown) {
  const target = await viewer(t)
  const sent = await send(`${target.endpoint}/api/import`, {
    body: typeof value === 'string' ? value : JSON.stringify(value, null, 1),
  })
  return { target, result: sent.json() as { spans: number; rejected: number } }
}

describe("Jaeger's JSON", () => {
  it('is read with processes, threads, queue waits, status, events and links', async (t) => {
    const { target, result } = await load(t, JAEGER)
    assert.deepEqual(result, { spans: 3, rejected: 0 })
    const columns = await api<TraceColumns>(target, `trace/${TRACE}`)
    assert.deepEqual(
      columns.threads.map(({ label, id }) => [label, id]),
      [
        ['main', 0],
        ['thread 1', 1],
        ['thread 2', 2],
      ],
    )
    assert.deepEqual(
      columns.processes.map(({ service, pid, resource }) => [service, pid, resource['host.name']]),
      [['shop', 42, 'host-1']],
    )
    assert.deepEqual(columns.wait, [0, 15.5, 15.5])
    assert.deepEqual(columns.parent, [-1, 0, 0])
    assert.deepEqual([columns.start[1], columns.end[1]], [20, 90])
    const root = await api<SpanDetail>(target, `trace/${TRACE}/span/b7ad6b7169203331`)
    assert.deepEqual(
      [root.kind, root.status, root.scope, root.traceState],
      ['server', { code: 'error', message: 'it broke' }, { name: 'threadspan', version: '0.1.0' }, 'a=1'],
    )
    assert.deepEqual(root.attributes, {
      'thread.id': 0,
      'thread.name': 'main',
      'http.response.status_code': 500,
      big: '9007199254740993',
      ratio: 0.5,
    })
    assert.deepEqual(
      root.events.map(({ name, attributes, time }) => [name, attributes, Math.round(time)]),
      [['exception', { 'exception.type': 'RangeError' }, 1790000000050]],
    )
    const task = await api<SpanDetail>(target, `trace/${TRACE}/span/b7ad6b7169203332`)
    assert.deepEqual(task.links, [
      {
        traceId: TRACE,
        spanId: 'b7ad6b7169203339',
        attributes: { 'opentracing.ref_type': 'follows_from' },
      },
    ])
  })

  it('is read as one trace, as spans with their process, and compressed', async (t) => {
    const [trace] = JAEGER.data
    assert.equal((await load(t, trace)).result.spans, 3)
    const lines = trace!.spans.map((span) => JSON.stringify({ ...span, process: trace!.processes.p1 }))
    const { target, result } = await load(t, lines.join('\n'))
    assert.equal(result.spans, 3)
    assert.equal((await api<TraceSummary[]>(target, 'traces'))[0]!.service, 'shop')
    const zipped = await send(`${(await viewer(t)).endpoint}/api/import`, {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify(JAEGER)),
    })
    assert.deepEqual(zipped.json(), { spans: 3, rejected: 0 })
  })

  it('fills ids of 64 bits up with zeros, and refuses what is of another type', async (t) => {
    const span = { traceID: 'a1', spanID: 'b1', operationName: 'x', startTime: 1790000000000000, duration: 1 }
    const { target, result } = await load(t, { traceID: 'a1', spans: [span], processes: {} })
    assert.deepEqual(result, { spans: 1, rejected: 0 })
    assert.equal((await api<TraceSummary[]>(target, 'traces'))[0]!.traceId, 'a1'.padStart(32, '0'))
    for (const wrong of [
      { startTime: 'soon' },
      { startTime: -1 },
      { startTime: 1e300 },
      { duration: {} },
      { traceID: 'xyz' },
      { traceID: 'a'.repeat(33) },
      { spanID: 7 },
      { tags: {} },
      { tags: [7] },
      { references: 'x' },
      { logs: [{ timestamp: [] }] },
      { processID: 1 },
      { operationName: {} },
    ]) {
      const { result } = await load(t, { traceID: 'a1', spans: [{ ...span, ...wrong }], processes: {} })
      assert.deepEqual(result, { spans: 0, rejected: 1 }, JSON.stringify(wrong))
    }
    const odd = {
      ...span,
      processID: '__proto__',
      tags: [
        { key: '__proto__', value: { x: 1 } },
        { key: 'deep', value: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) },
        { key: 'none', value: null },
      ],
    }
    assert.equal((await load(t, { traceID: 'a1', spans: [odd], processes: {} })).result.spans, 1)
  })
})

describe("Zipkin's JSON", () => {
  it('is read with shared spans in both halves, in any order', async (t) => {
    for (const spans of [ZIPKIN, [...ZIPKIN].reverse(), [ZIPKIN]]) {
      const { target, result } = await load(t, spans)
      assert.deepEqual(result, { spans: 3, rejected: 0 })
      const columns = await api<TraceColumns>(target, `trace/${SHORT}`)
      assert.deepEqual(
        columns.name.map((name, i) => [
          columns.strings[name],
          columns.parent[i],
          columns.processes[columns.threads[columns.thread[i]!]!.process]!.service,
        ]),
        [
          ['get /orders', -1, 'front'],
          ['get /orders', 0, 'back'],
          ['query', 1, 'back'],
        ],
      )
      const query = await api<SpanDetail>(target, `trace/${SHORT}/span/1111111111111111`)
      assert.deepEqual(query.status, { code: 'error', message: 'deadlock' })
      assert.equal(query.kind, 'client')
      assert.deepEqual(query.resource, { 'process.pid': 7, 'service.name': 'back' })
      assert.equal(query.attributes['thread.id'], 3)
      assert.deepEqual(
        query.events.map(({ name }) => name),
        ['wire'],
      )
      const client = await api<SpanDetail>(target, `trace/${SHORT}/span/0a1b2c3d4e5f6071`)
      assert.deepEqual(client.attributes, {
        'peer.service': 'back',
        'network.peer.address': '127.0.0.1',
        'network.peer.port': 8080,
      })
    }
  })

  it('refuses single spans, and takes the others', async (t) => {
    const wrong = [
      { tags: { a: 1 } },
      { timestamp: 'x' },
      { id: 'zz' },
      { localEndpoint: 5 },
      { annotations: [5] },
    ].map((part, i) => ({ ...ZIPKIN[0], id: `${i + 1}`, ...part }))
    const { target, result } = await load(t, [...wrong, ...ZIPKIN])
    assert.deepEqual(result, { spans: 3, rejected: 5 })
    assert.equal(target.status().dropped['malformed'], 5)
  })

  it('has no kind where it is told one that there is not, whatever objects are made of', async (t) => {
    for (const kind of ['CONSTRUCTOR', '__proto__', 'toString']) {
      const { target, result } = await load(t, [{ ...ZIPKIN[0], kind }])
      assert.deepEqual(result, { spans: 1, rejected: 0 })
      const { spanId, traceId } = (await api<Sample[]>(target, 'samples'))[0]!
      assert.equal((await api<SpanDetail>(target, `trace/${traceId}/span/${spanId}`)).kind, 'internal')
    }
  })
})

describe('OTLP as servers write it', () => {
  const id = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
  const spans = (traceId: string, spanId: string, kind: unknown, code: unknown) => [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeSpans: [
        {
          scope: { name: 'lib' },
          spans: [
            {
              traceId,
              spanId,
              name: 'GET /',
              kind,
              startTimeUnixNano: '1790000000000000123',
              endTimeUnixNano: '1790000000001000123',
              status: { code },
              links: [{ traceId, spanId }],
            },
          ],
        },
      ],
    },
  ]
  const plain = spans(id(TRACE), id('b7ad6b7169203331'), 'SPAN_KIND_SERVER', 'STATUS_CODE_ERROR')
  const otlp = spans(TRACE, 'b7ad6b7169203331', 2, 2)

  for (const [name, value] of Object.entries({
    "Tempo's /api/traces": { batches: plain },
    "Tempo's /api/v2/traces": { trace: { resourceSpans: plain } },
    "Jaeger's /api/v3/traces": { result: { resourceSpans: otlp } },
  })) {
    it(`is read from ${name}`, async (t) => {
      const { target, result } = await load(t, value)
      assert.deepEqual(result, { spans: 1, rejected: 0 })
      const detail = await api<SpanDetail>(target, `trace/${TRACE}/span/b7ad6b7169203331`)
      assert.deepEqual(
        [detail.kind, detail.status.code, detail.resource, detail.links[0]?.spanId],
        ['server', 'error', { 'service.name': 'shop' }, 'b7ad6b7169203331'],
      )
    })
  }

  it('has neither kind nor status where it is told some that there are not', async (t) => {
    const { target, result } = await load(t, {
      batches: spans(TRACE, 'b7ad6b7169203331', 'constructor', 'constructor'),
    })
    assert.deepEqual(result, { spans: 1, rejected: 0 })
    const { kind, status } = await api<SpanDetail>(target, `trace/${TRACE}/span/b7ad6b7169203331`)
    assert.deepEqual([kind, status.code], ['unspecified', 'unset'])
  })

  it('is refused with ids that are none', async (t) => {
    const { result } = await load(t, { batches: spans('!!', id('b7ad6b7169203331'), 2, 2) })
    assert.deepEqual(result, { spans: 0, rejected: 1 })
  })
})
