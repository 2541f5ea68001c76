import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedPoint, Receiver } from '../support/receiver.js'

describe('what is measured in all threads and children', { timeout: 120_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.metrics.length = 0
  })

  const run = (file: string, env: Record<string, string | undefined> = {}, node = ['--require', PRELOAD]) =>
    runProgram(fixture(`metrics/${file}`), {
      node,
      env: {
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_SERVICE_NAME: 'shop',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        ...env,
      },
    })
  const last = (name: string): ReceivedPoint[] =>
    receiver.metrics.at(-1)?.filter((point) => point.name === name) ?? []
  const all = (name: string): ReceivedPoint[] =>
    receiver.metrics.flat().filter((point) => point.name === name)

  it('is one exact sum, however they end', async () => {
    const { stdout, code } = await run('program.mjs')
    assert.equal(code, 0)
    const expected = Number(stdout)
    const [orders, ...others] = last('orders')
    assert.deepEqual(others, [])
    assert.deepEqual(orders!.attributes, { method: 'POST', route: '/orders' })
    assert.deepEqual([orders!.value, orders!.unit, orders!.scope], [expected, '{order}', 'shop'])
    assert.deepEqual([orders!.isDouble, orders!.isMonotonic, orders!.temporality], [false, true, 2])
    const [duration] = last('order.duration')
    const { buckets, bounds, ...rest } = duration!.histogram!
    assert.deepEqual(
      [buckets, bounds],
      [
        [0, expected, 0],
        [0.5, 1],
      ],
    )
    assert.deepEqual(rest, { count: expected, min: 0.75, max: 0.75 })
    assert.equal(duration!.value, expected * 0.75)
  })

  it('is told in differences that together are the same', async () => {
    for (const OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE of ['delta', 'lowmemory']) {
      receiver.metrics.length = 0
      const { stdout } = await run('program.mjs', {
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE,
        OTEL_METRIC_EXPORT_INTERVAL: '100',
      })
      const points = all('orders')
      assert.ok(points.length > 1, `${points.length} exports`)
      assert.equal(
        points.reduce((sum, { value }) => sum + value, 0),
        Number(stdout),
      )
      for (const [i, { start, time, temporality }] of points.entries()) {
        assert.equal(temporality, 1)
        assert.ok(start < time && (i === 0 || start >= points[i - 1]!.time))
      }
    }
  })

  it('has every increment that returned in a Worker that was terminated', async () => {
    for (let round = 0; round < 3; round++) {
      receiver.metrics.length = 0
      const { stdout, stderr, code } = await run('pool.mjs')
      assert.deepEqual([stderr, code], ['', 0])
      const counted = Number(stdout)
      const [steps] = last('steps')
      assert.ok(counted > 1000, stdout)
      // Each Worker may have been stopped between the one and the other.
      assert.ok(steps!.value >= counted && steps!.value <= counted + 8, `${steps!.value} of ${counted}`)
    }
  })

  it('is exported again and again of Workers that do nothing any more', async () => {
    const { stdout, stderr } = await run('blocked.mjs', { OTEL_METRIC_EXPORT_INTERVAL: '200' })
    // Their event loops have not waited, and so not turned.
    assert.deepEqual([stdout, stderr], ['0\n', ''])
    const whole = receiver.metrics
      .map((points) => points.filter(({ name }) => name === 'blocked'))
      .filter((points) => points.length === 100)
    const isExact = ({ attributes, value }: ReceivedPoint): boolean =>
      value === 8 * (attributes['series'] as number)
    // What some of the Workers have measured may be exported before the others get to run.
    const exact = whole.slice(whole.findIndex((points) => points.every(isExact)))
    assert.ok(exact.length > 1, `${exact.length} of ${whole.length} exports`)
    for (const points of exact)
      assert.deepEqual(
        points.filter((point) => !isExact(point)),
        [],
      )
  })

  it('is asked for in each thread whose event loop turns; of one that is blocked the last word stays, and its time', async () => {
    await run('asked.mjs', { OTEL_METRIC_EXPORT_INTERVAL: '100' })
    const of = (thread: string) => all('asked').filter(({ attributes }) => attributes['thread'] === thread)
    for (const thread of ['main', 'turning']) {
      const values = of(thread).map(({ value }) => value)
      assert.ok(values.length > 3, `${thread}: ${values.length}`)
      assert.ok(new Set(values).size > values.length - 3, `${thread}: ${values.join()}`)
    }
    const blocked = of('blocked').filter(({ value }) => value === 2)
    assert.ok(blocked.length > 2, `${blocked.length}`)
    assert.equal(new Set(blocked.map(({ time }) => time)).size, 1)
    assert.equal(
      last('asked').some(({ attributes }) => attributes['thread'] === 'blocked'),
      false,
    )
  })

  it('has examples: of the first value of a sampled span since the last export, wherever it was measured', async () => {
    receiver.spans.length = 0
    const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_METRIC_EXPORT_INTERVAL: '200' }
    await run('exemplars.mjs', env)
    for (const name of ['counted', 'sized']) {
      const exemplars = all(name).flatMap(({ exemplars }) => exemplars)
      assert.deepEqual(
        exemplars.map(({ value }) => value),
        [2, 4, 5],
      )
      for (const { value, time, traceId, spanId } of exemplars) {
        const [span] = receiver.named(`value ${value}`)
        assert.deepEqual([traceId, spanId], [span!.traceId, span!.spanId])
        // To a microsecond.
        assert.ok(time >= span!.start - 1000n && time <= span!.end + 1000n)
      }
    }
    assert.deepEqual(
      all('level').flatMap(({ exemplars }) => exemplars),
      [],
    )
    for (const off of [
      { OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' },
      { OTEL_TRACES_SAMPLER: 'always_off' },
    ]) {
      receiver.metrics.length = 0
      await run('exemplars.mjs', { ...env, ...off })
      assert.deepEqual(
        all('counted').flatMap(({ exemplars }) => exemplars),
        [],
      )
    }
  })

  it('arrives from Workers that join by code', async () => {
    await run('joined.mjs', {}, [])
    assert.deepEqual(
      last('joined').map(({ value }) => value),
      [2],
    )
    const [level] = last('level')
    assert.equal(level!.kind, 'gauge')
    assert.ok(Math.abs(Number(level!.time / 1_000_000n) - Date.now()) < 60_000)
  })

  it('is not measured where nobody asked for it', async () => {
    for (const OTEL_METRICS_EXPORTER of [undefined, 'none']) {
      const { stdout, stderr } = await runProgram(fixture('metrics/nothing.mjs'), {
        node: ['--require', PRELOAD],
        env: { OTEL_METRICS_EXPORTER, OTEL_TRACES_EXPORTER: 'none' },
      })
      assert.deepEqual([stdout, stderr], ['NoopCounterMetric\n', ''])
    }
  })

  it('is left to the MeterProvider that the application registers', async () => {
    const { stdout, stderr, code } = await run('own-provider.mjs')
    assert.deepEqual([stdout, stderr, code], ['true Own\n', '', 0])
  })

  it('of a child of another service is told as of that', async () => {
    await run('other-service.mjs')
    const told = last('orders').map(({ value, resource }) => [resource['service.name'], value])
    assert.deepEqual(told, [
      ['shop', 1],
      ['stock', 2],
    ])
  })
})
