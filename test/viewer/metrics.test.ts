import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { MetricSeries, TransactionRow } from '../../src/viewer/api.js'
import type { Viewer } from '../../src/viewer/server.js'
import { api, body, origin, post, span, viewer } from './support.js'

const at = (seconds: number) => String((BigInt(origin) + BigInt(seconds) * 1000n) * 1_000_000n)
const pairs = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))

interface Sender {
  resource?: Record<string, string>
  scope?: object
}

async function sendMetric(
  to: Viewer,
  metric: object,
  { resource = {}, scope = {} }: Sender = {},
): Promise<void> {
  const request = {
    resourceMetrics: [
      {
        resource: { attributes: pairs({ 'service.name': 'shop', ...resource }) },
        scopeMetrics: [{ scope, metrics: [metric] }],
      },
    ],
  }
  const answer = await post(
    to,
    Buffer.from(JSON.stringify(request)),
    { 'content-type': 'application/json' },
    'metrics',
  )
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json(), {})
}

const gauge = (seconds: number, value: number, attributes: Record<string, string> = {}) => ({
  name: 'm',
  gauge: { dataPoints: [{ timeUnixNano: at(seconds), asDouble: value, attributes: pairs(attributes) }] },
})

const sum = (seconds: number, value: number, start: number | undefined) => ({
  name: 'm',
  sum: {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [
      {
        ...(start !== undefined && { startTimeUnixNano: at(start) }),
        timeUnixNano: at(seconds),
        asInt: String(value),
      },
    ],
  },
})

/** The series of the metric `m`: labels, and values where there are any. */
async function lines(of: Viewer): Promise<[string, number[]][]> {
  const { lines } = await api<MetricSeries>(of, 'metrics/m')
  return lines.map(({ label, values }) => [label, values.filter((value) => value !== null)])
}

describe('metric streams', () => {
  const apart: [string, Sender[], string[]][] = [
    [
      'any attribute of the resource',
      [{ resource: { 'k8s.pod.name': 'a' } }, { resource: { 'k8s.pod.name': 'b' } }],
      ['k8s.pod.name=a', 'k8s.pod.name=b'],
    ],
    [
      'the name of the scope',
      [{ scope: { name: 'one' } }, { scope: { name: 'two' } }],
      ['scope=one', 'scope=two'],
    ],
    [
      'the version of the scope',
      [{ scope: { name: 'one', version: '1' } }, { scope: { name: 'one', version: '2' } }],
      ['scope version=1', 'scope version=2'],
    ],
    [
      'an attribute of the scope',
      [{ scope: { attributes: pairs({ db: 'x' }) } }, { scope: { attributes: pairs({ db: 'y' }) } }],
      ['scope db=x', 'scope db=y'],
    ],
    [
      'as little as does it',
      [
        { resource: { 'host.name': 'a', 'process.pid': '1', build: '1' } },
        { resource: { 'host.name': 'b', 'process.pid': '2', build: '2' } },
        { resource: { 'host.name': 'b', 'process.pid': '3', build: '3' } },
      ],
      ['host.name=a, process.pid=1', 'host.name=b, process.pid=2', 'host.name=b, process.pid=3'],
    ],
  ]
  for (const [what, senders, labels] of apart) {
    it(`are told apart by ${what}`, async (t) => {
      const target = await viewer(t)
      for (const [i, sender] of senders.entries()) await sendMetric(target, gauge(0, i), sender)
      assert.deepEqual(
        await lines(target),
        labels.map((label, i) => [label, [i]]),
      )
    })
  }

  it('are told apart by kind and unit', async (t) => {
    const target = await viewer(t)
    await sendMetric(target, { ...gauge(0, 1), unit: 'ms' })
    await sendMetric(target, { ...gauge(0, 2), unit: 's' })
    await sendMetric(target, { ...sum(0, 3, -10), unit: 's' })
    assert.deepEqual(
      (await lines(target)).map(([label]) => label),
      ['gauge, ms', 'gauge, s', 'cumulative monotonic sum, s'],
    )
  })

  it('are one where all of it is the same, in whatever order the attributes come', async (t) => {
    const target = await viewer(t)
    await sendMetric(target, gauge(0, 1, { a: '1', b: '2' }), { resource: { x: '1', y: '2' } })
    await sendMetric(target, gauge(10, 2, { b: '2', a: '1' }), { resource: { y: '2', x: '1' } })
    assert.deepEqual(await lines(target), [['a=1, b=2', [1, 2]]])
  })
})

describe('cumulative streams', () => {
  async function rates(t: TestContext, points: [number, number, number | undefined][]): Promise<number[]> {
    const target = await viewer(t)
    for (const [seconds, value, start] of points) await sendMetric(target, sum(seconds, value, start))
    return (await lines(target))[0]![1]
  }

  it('start over where their start time moves on, even where the total has grown', async (t) => {
    assert.deepEqual(
      await rates(t, [
        [0, 100, -100],
        [10, 110, -100],
        [20, 150, 10],
        [30, 200, 10],
      ]),
      [1, 15, 5],
    )
  })

  it('count from their new start, not from the last point', async (t) => {
    assert.deepEqual(
      await rates(t, [
        [0, 100, -100],
        [60, 50, 50],
      ]),
      [5],
    )
  })

  it('start over where the total falls and nothing is said of a start', async (t) => {
    assert.deepEqual(
      await rates(t, [
        [0, 100, undefined],
        [10, 30, undefined],
      ]),
      [3],
    )
  })

  it('give distributions of what came since the start as well', async (t) => {
    const target = await viewer(t)
    const histogram = (seconds: number, counts: number[], total: number, start: number) => ({
      name: 'm',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            startTimeUnixNano: at(start),
            timeUnixNano: at(seconds),
            count: String(counts.reduce((a, b) => a + b)),
            sum: total,
            bucketCounts: counts.map(String),
            explicitBounds: [10, 100],
          },
        ],
      },
    })
    await sendMetric(target, histogram(0, [10, 0, 0], 50, -100))
    await sendMetric(target, histogram(20, [0, 20, 0], 1000, 10))
    await sendMetric(target, histogram(40, [0, 30, 0], 1700, 10))
    const means = (await lines(target)).find(([label]) => label === 'mean')!
    assert.deepEqual(means[1], [5, 50, 70])
  })
})

describe('times that are not set', () => {
  it('leave the figures of other spans as they are', async (t) => {
    const target = await viewer(t)
    const good = Array.from({ length: 20 }, (_, i) =>
      span(i + 1, 1, 0, { name: 'good', at: i * 100, lasts: 20 }),
    )
    await post(target, body(good))
    const before = (await api<TransactionRow[]>(target, 'transactions'))[0]!
    const odd = span(50, 1, 0, { at: 1900, lasts: 5 })
    await post(
      target,
      body([
        { ...odd, name: 'no start', startTimeUnixNano: 0n },
        {
          ...odd,
          traceId: span(51, 1, 0).traceId,
          name: 'a clock since boot',
          startTimeUnixNano: 7_000_000_000n,
        },
        { ...odd, traceId: span(52, 1, 0).traceId, name: 'no end', endTimeUnixNano: 0n },
      ]),
    )
    const rows = await api<TransactionRow[]>(target, 'transactions')
    const named = (name: string) => rows.find((row) => row.name === name)!
    assert.deepEqual([named('good').throughput, named('good').impact], [before.throughput, before.impact])
    for (const name of ['no start', 'a clock since boot', 'no end']) assert.equal(named(name).mean, 0)
  })

  it('are taken as those of arrival where there is neither', async (t) => {
    const target = await viewer(t)
    const now = Date.now()
    await post(target, body([{ ...span(1, 1, 0), startTimeUnixNano: 0n, endTimeUnixNano: 0n }]))
    const [summary] = await api<{ start: number }[]>(target, 'traces')
    assert.ok(summary!.start >= now - 1 && summary!.start <= Date.now() + 1, String(summary!.start))
  })
})
