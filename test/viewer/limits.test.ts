import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { LogList, MetricSeries, TraceColumns, TraceSummary } from '../../src/viewer/api.js'
import { api, body, post, send, span, traceId, viewer } from './support.js'

const JSON_TYPE = { 'content-type': 'application/json' }
const MIB = 1024 * 1024

describe('the limits of the viewer', () => {
  it('let the oldest log records leave, by number and by size, and count them', async (t) => {
    const target = await viewer(t)
    const logs = async (bodies: string[]) => {
      const logRecords = bodies.map((text, i) => ({
        timeUnixNano: `${i + 1}000000`,
        body: { stringValue: text },
      }))
      const json = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
      assert.equal((await post(target, Buffer.from(json), JSON_TYPE, 'logs')).status, 200)
    }
    for (let i = 0; i < 5; i++) await logs(Array.from({ length: 10_001 }, (_, j) => `${i} ${j}`))
    assert.equal((await api<LogList>(target, 'logs')).total, 50_000)
    assert.equal(target.status().dropped['logs-evicted'], 5)
    for (let i = 0; i < 5; i++) await logs(['x'.repeat(15 * MIB)])
    const { total } = await api<LogList>(target, 'logs?search=xxx')
    assert.equal(total, 4)
    assert.equal(target.status().dropped['logs-evicted'], 50_010 - 4)
  })

  it('refuse the series that are too many, and let the oldest points leave', async (t) => {
    const target = await viewer(t)
    const gauge = async (name: string, dataPoints: object[]) => {
      const metrics = [{ name, gauge: { dataPoints } }]
      const json = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
      return (await post(target, Buffer.from(json), JSON_TYPE, 'metrics')).json() as object
    }
    const point = (seconds: number, series: number) => ({
      timeUnixNano: `${1_790_000_000 + seconds}000000000`,
      asInt: '1',
      attributes: [{ key: 'series', value: { intValue: String(series) } }],
    })
    await gauge(
      'points',
      Array.from({ length: 1001 }, (_, i) => point(i, 0)),
    )
    const { times } = await api<MetricSeries>(target, 'metrics/points')
    assert.deepEqual([times.length, times[0]], [1000, 1_790_000_001_000])
    const answer = await gauge(
      'series',
      Array.from({ length: 4000 }, (_, i) => point(0, i)),
    )
    assert.match(JSON.stringify(answer), /"rejectedDataPoints":"?1"?/)
    assert.equal(target.status().dropped['metric-series-limit'], 1)
  })

  it('answer a thousand rows of a list at once, and the next page has the others', async (t) => {
    const target = await viewer(t)
    await post(target, body(Array.from({ length: 1001 }, (_, i) => span(i + 1, 1, 0, { at: i }))))
    const page = await send(`${target.endpoint}/api/traces?limit=5000`)
    assert.equal((page.json() as TraceSummary[]).length, 1000)
    assert.equal(page.headers['x-total-count'], '1001')
    const rest = await api<TraceSummary[]>(target, 'traces?limit=5000&offset=1000')
    assert.deepEqual(
      rest.map((trace) => trace.traceId),
      [traceId(1)],
    )
  })

  it('leave the latest spans of a trace out on the page beyond 200,000, and the export has all', async (t) => {
    const target = await viewer(t)
    for (let first = 1; first <= 200_001; first += 40_000) {
      const length = Math.min(40_000, 200_002 - first)
      await post(target, body(Array.from({ length }, (_, i) => span(1, first + i, 0, { at: first + i }))))
    }
    const { id, start, truncated } = await api<TraceColumns>(target, `trace/${traceId(1)}`)
    assert.deepEqual([id.length, start.at(-1), truncated], [200_000, 199_999, 1])
    const csv = await send(`${target.endpoint}/api/trace/${traceId(1)}/export?format=csv`)
    assert.equal(csv.body.toString().split('\r\n').length, 200_003)
  })

  it('let senders come back later while 256 MiB of bodies are being read', async (t) => {
    const target = await viewer(t)
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }
    const zeros = gzipSync(Buffer.alloc(60 * MIB))
    // All but the last bytes has come: the bodies are held.
    const held = Array.from({ length: 4 }, () => {
      const sending = request(`${target.endpoint}/v1/traces`, { method: 'POST', headers, agent: false })
      sending.on('error', () => {})
      sending.write(zeros.subarray(0, -4))
      return sending
    })
    const one = gzipSync(Buffer.alloc(30 * MIB))
    const ask = () => send(`${target.endpoint}/v1/traces`, { headers, body: one })
    let answer = await ask()
    while (answer.status === 400) answer = await ask()
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers['retry-after']) > 0)
    for (const sending of held) sending.destroy()
    while (answer.status === 503) answer = await ask()
    assert.equal((await post(target, body([span(1, 1, 0)]))).status, 200)
  })
})
