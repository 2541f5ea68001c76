import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
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
    assert.deepEqual(await target.load(file), { items: 3, spans: 1, rejected: 0, badLines: 2 })
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
    assert.deepEqual(await two.load(file), { items: 3, spans: 3, rejected: 0, badLines: 0 })
    for (const path of [
      `trace/${traceId(1)}`,
      `trace/${traceId(2)}`,
      `trace/${traceId(2)}/span/${spanId(3)}`,
    ]) {
      assert.deepEqual(await api(two, path), await api(one, path))
    }
  })

  it('says which file cannot be read or written', async (t) => {
    const target = await viewer(t)
    const path = join(await folder(t), 'missing', 'file')
    await assert.rejects(target.load(path), { code: 'THREADSPAN_FILE_UNREADABLE' })
    await assert.rejects(target.save(path), { code: 'THREADSPAN_FILE_UNWRITABLE' })
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
})
