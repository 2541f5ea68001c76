import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import zlib, { gzipSync } from 'node:zlib'
import type { SpanDetail, TraceSummary } from '../../src/viewer/api.js'
import { api, body, post, send, span, spanId, traceId, viewer } from './support.js'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'threadspan-viewer-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A line as the OpenTelemetry Collector's file exporter writes it. */
const COLLECTOR_TRACES =
  '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}},{"key":"process.pid","value":{"intValue":"31"}}]},' +
  '"scopeSpans":[{"scope":{"name":"lib","version":"0.1"},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",' +
  '"parentSpanId":"","flags":256,"name":"I\'m a server span","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000",' +
  '"attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}],"status":{}}]}],"schemaUrl":"https://opentelemetry.io/schemas/1.4.0"}]}'
const COLLECTOR_METRICS =
  '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[{"name":"heat","unit":"1","gauge":{"dataPoints":[{"asDouble":5.5,"timeUnixNano":"1544712660300000000"}]}}]}]}]}'
const COLLECTOR_LOGS =
  '{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1544712660300000000","severityText":"Information",' +
  '"body":{"stringValue":"Example log record"},"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}'

describe('OTLP JSON lines', () => {
  it("loads the Collector's files: all signals, blank lines, CRLF, and a last line that is still being written", async (t) => {
    const target = await viewer(t)
    const file = join(await folder(t), 'collector.json')
    const lines = [
      COLLECTOR_TRACES,
      '',
      `${COLLECTOR_METRICS}\r`,
      COLLECTOR_LOGS,
      '{"other":1}',
      COLLECTOR_TRACES.slice(0, 300),
    ]
    await writeFile(file, lines.join('\n'))
    assert.deepEqual(await target.load(file), { items: 3, spans: 1, rejected: 0, unread: 2 })
    const [summary] = await api<TraceSummary[]>(target, 'traces')
    assert.deepEqual(
      [summary!.service, summary!.name, summary!.duration],
      ['checkout', "I'm a server span", 1000],
    )
    const detail = await api<SpanDetail>(target, `trace/${summary!.traceId}/span/eee19b7ec3c1b174`)
    assert.deepEqual(detail.attributes, { 'my.span.attr': 'some value' })
    assert.deepEqual(
      detail.logs.map(({ severity, body }) => [severity, body]),
      [['Information', 'Example log record']],
    )
    assert.equal(target.status().received.metrics, 1)
  })

  it('saves what it loads again, the same', async (t) => {
    const [one, two] = [await viewer(t), await viewer(t)]
    const file = join(await folder(t), 'saved.jsonl')
    const odd = span(2, 3, 1, {
      name: 'line\nbreak  ',
      attributes: { __proto__x: 1, list: [1.5, true, [2n ** 60n]], bytes: Uint8Array.of(0, 255) },
    })
    await post(one, body([span(1, 1, 0), span(1, 2, 1), odd]))
    await one.save(file)
    assert.equal((await readFile(file, 'utf8')).trimEnd().split('\n').length, 2)
    assert.deepEqual(await two.load(file), { items: 3, spans: 3, rejected: 0, unread: 0 })
    for (const path of [
      `trace/${traceId(1)}`,
      `trace/${traceId(2)}`,
      `trace/${traceId(2)}/span/${spanId(3)}`,
    ]) {
      assert.deepEqual(await api(two, path), await api(one, path))
    }
  })

  it('keeps schemas and the counts of what senders left out, through JSON and protobuf', async (t) => {
    const [one, two, three] = [await viewer(t), await viewer(t), await viewer(t)]
    const data = JSON.parse(COLLECTOR_TRACES) as {
      resourceSpans: {
        resource: Record<string, unknown>
        scopeSpans: { scope: Record<string, unknown>; schemaUrl?: string }[]
      }[]
    }
    const [group] = data.resourceSpans
    group!.resource['droppedAttributesCount'] = 3
    group!.scopeSpans[0]!.scope['droppedAttributesCount'] = 300
    group!.scopeSpans[0]!.scope['attributes'] = [{ key: 'a', value: { stringValue: 'b' } }]
    group!.scopeSpans[0]!.schemaUrl = 'https://opentelemetry.io/schemas/1.21.0'
    const headers = { 'content-type': 'application/json' }
    const sent = await send(`${one.endpoint}/v1/traces`, { headers, body: JSON.stringify(data) })
    assert.equal(sent.status, 200)
    const path = await folder(t)
    const texts: string[] = []
    for (const [i, from] of [one, two].entries()) {
      const file = join(path, `${i}.jsonl`)
      await from.save(file)
      texts.push(await readFile(file, 'utf8'))
      await (i === 0 ? two : three).load(file)
    }
    const again = await send(`${three.endpoint}/api/export`)
    assert.equal(texts[0], texts[1])
    assert.equal(again.body.toString(), texts[0])
    const saved = JSON.parse(texts[0]!) as typeof data & { resourceSpans: { schemaUrl: string }[] }
    const [kept] = saved.resourceSpans
    assert.equal(kept!.schemaUrl, 'https://opentelemetry.io/schemas/1.4.0')
    assert.equal(kept!.resource['droppedAttributesCount'], 3)
    const { spans: _, ...scopeSpans } = kept!.scopeSpans[0] as unknown as Record<string, unknown>
    assert.deepEqual(scopeSpans, {
      scope: {
        name: 'lib',
        version: '0.1',
        attributes: [{ key: 'a', value: { stringValue: 'b' } }],
        droppedAttributesCount: 300,
      },
      schemaUrl: 'https://opentelemetry.io/schemas/1.21.0',
    })
  })

  it('says which file cannot be read or written', async (t) => {
    const target = await viewer(t)
    const path = join(await folder(t), 'missing', 'file')
    await assert.rejects(target.load(path), { code: 'THREADSPAN_FILE_UNREADABLE' })
    await assert.rejects(target.save(path), { code: 'THREADSPAN_FILE_UNWRITABLE' })
  })
})

/** The Collector's three signals, which `items` counts. */
const ALL = [COLLECTOR_TRACES, COLLECTOR_METRICS, COLLECTOR_LOGS].map((line) => JSON.parse(line) as object)

describe('OTLP JSON in other forms', () => {
  const pretty = ALL.map((value) => JSON.stringify(value, null, 2))
  const lines = ALL.map((value) => JSON.stringify(value)).join('\n')
  const utf16 = Buffer.from(`\ufeff${lines}`, 'utf16le')
  const forms: Record<string, string | Buffer> = {
    'over many lines, one behind the other': pretty.join('\n'),
    'over many lines, with CRLF': pretty.join('\r\n').replaceAll('\n', '\r\n'),
    'as elements of an array': JSON.stringify(ALL),
    'as elements of an array over many lines': JSON.stringify(ALL, null, '\t'),
    'as elements of an array, one to a line': `[\n${ALL.map((value) => JSON.stringify(value)).join(',\n')}\n]\n`,
    'without anything between': ALL.map((value) => JSON.stringify(value)).join(''),
    'as a sequence of RFC 7464': ALL.map((value) => `\x1e${JSON.stringify(value)}\n`).join(''),
    'with a byte order mark': `\ufeff${lines}`,
    'in UTF-16': utf16,
    'in UTF-16, the high bytes first': Buffer.from(utf16).swap16(),
    'by gzip': gzipSync(lines),
    'by gzip in several members': Buffer.concat(ALL.map((value) => gzipSync(`${JSON.stringify(value)}\n`))),
  }
  if (typeof zlib.zstdCompressSync === 'function') forms['by zstd'] = zlib.zstdCompressSync(lines)

  for (const [form, content] of Object.entries(forms)) {
    it(`is read ${form}`, async (t) => {
      const target = await viewer(t)
      const file = join(await folder(t), 'data')
      await writeFile(file, content)
      assert.deepEqual(await target.load(file), { items: 3, spans: 1, rejected: 0, unread: 0 })
    })
  }

  it('is refused where it is compressed over and over, as a file that decompresses to itself is', async (t) => {
    const target = await viewer(t)
    const over = (times: number) => {
      let bytes = Buffer.from(COLLECTOR_TRACES)
      for (let i = 0; i < times; i++) bytes = gzipSync(bytes)
      return fetch(`${target.url}api/import`, { method: 'POST', body: bytes })
    }
    assert.deepEqual(await (await over(4)).json(), { spans: 1, rejected: 0 })
    const refused = await over(5)
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /THREADSPAN_IMPORT.*compressed more than 4 times over/)
  })

  it('costs no more than itself where it breaks off, wherever that is', async (t) => {
    const target = await viewer(t)
    const file = join(await folder(t), 'data')
    const whole = (id: number) =>
      JSON.stringify({
        resourceSpans: [
          { scopeSpans: [{ spans: [{ traceId: traceId(id), spanId: spanId(id), name: '{"[' }] }] },
        ],
      })
    const [first] = pretty
    const cuts = [1, 20, COLLECTOR_TRACES.indexOf('scopeSpans') + 4, COLLECTOR_TRACES.length - 1]
    const parts = cuts.flatMap((cut, i) => [COLLECTOR_TRACES.slice(0, cut), whole(i + 1)])
    await writeFile(file, [...parts, first!.slice(0, 300), whole(9), 'a line of a log', whole(10)].join('\n'))
    assert.deepEqual(await target.load(file), { items: 6, spans: 6, rejected: 0, unread: 6 })
  })

  it('is named for what it is where it is not OTLP', async (t) => {
    const path = await folder(t)
    const python = { name: 'x', context: { trace_id: '0x1', span_id: '0x2' }, parent_id: null }
    const zipkin = [{ traceId: 'a1', id: 'b1', name: 'get', annotations: [], binaryAnnotations: [] }]
    const chrome = { traceEvents: [{ ph: 'X', ts: 1, dur: 2, pid: 1, tid: 1, name: 'x' }] }
    const files: [string, unknown, string][] = [
      ['python.json', python, "an export of OpenTelemetry Python's console exporter"],
      ['zipkin.json', zipkin, 'Zipkin v1 JSON'],
      ['chrome.json', chrome, 'a Chrome trace'],
    ]
    for (const [name, value, format] of files) {
      const target = await viewer(t)
      const file = join(path, name)
      await writeFile(file, JSON.stringify(value, null, 1))
      assert.deepEqual(await target.load(file), { items: 0, spans: 0, rejected: 0, unread: 1, format })
      const sent = await send(`${target.endpoint}/api/import`, { body: JSON.stringify(value) })
      assert.deepEqual(sent.json(), { spans: 0, rejected: 1, format })
    }
  })
})

describe('bounds', () => {
  it('takes attributes of 10 MB apart from the rest, and 200,000 traces within its bounds', async (t) => {
    const target = await viewer(t, { maxSpans: 50_000, maxBytes: 64 * 1024 * 1024 })
    const huge = await post(
      target,
      body([span(1, 1, 0, { attributes: { huge: 'x'.repeat(10 * 1024 * 1024) } }), span(1, 2, 0)]),
    )
    assert.match(huge.body.toString(), /1 spans are larger than 1 MiB/)
    assert.equal(target.status().spans, 1)
    const before = process.memoryUsage()
    for (let first = 0; first < 200_000; first += 10_000) {
      const spans = Array.from({ length: 10_000 }, (_, i) =>
        span(first + i + 10, 1, 0, { name: `n${first + i}`, at: first + i }),
      )
      assert.equal((await post(target, body(spans))).status, 200)
    }
    const status = target.status()
    assert.equal(status.spans, 50_000)
    assert.equal(status.traces, 50_000)
    assert.ok(status.bytes <= status.maxBytes)
    assert.equal(status.dropped['evicted'], 200_001 - 50_000)
    const after = process.memoryUsage()
    assert.ok(after.arrayBuffers - before.arrayBuffers < 128 * 1024 * 1024)
    const newest = await api<TraceSummary[]>(target, 'traces?limit=1')
    assert.equal(newest[0]!.traceId, traceId(200_009))
    assert.equal((await send(`${target.endpoint}/api/trace/${traceId(10)}`)).status, 404)
  })
  it('counts resources among what it keeps, and refuses spans of one that is too large', async (t) => {
    const target = await viewer(t, { maxBytes: 32 * 1024 * 1024 })
    const text = 'x'.repeat(500 * 1024)
    for (let i = 1; i <= 100; i++) {
      const answer = await post(target, body([span(i, 1, 0)], { 'service.name': 's', [`k${i}`]: text }))
      assert.equal(answer.status, 200)
    }
    const { spans, bytes, maxBytes, dropped } = target.status()
    assert.ok(bytes <= maxBytes)
    assert.ok(spans > 0 && spans < 20, `${spans} spans, each with a resource of 500 KB`)
    assert.equal(dropped['evicted'], 100 - spans)
    const huge = await post(target, body([span(500, 1, 0)], { huge: text.repeat(3) }))
    assert.match(huge.body.toString(), /larger than 1 MiB, or their resource/)
    // What left gave its memory back: small ones fit in great number again.
    const small = Array.from({ length: 1000 }, (_, i) => span(1000 + i, 1, 0))
    await post(target, body(small))
    assert.ok(target.status().spans >= 1000)
  })
})
