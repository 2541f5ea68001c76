import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import * as names from '@opentelemetry/semantic-conventions'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('durations of requests and calls', { timeout: 60_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.metrics.length = 0
    receiver.spans.length = 0
  })

  const run = (env: Record<string, string>) =>
    runProgram(fixture('metrics/requests.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    })
  const of = (name: string) => receiver.metrics.at(-1)!.filter((point) => point.name === name)
  const status = names.ATTR_HTTP_RESPONSE_STATUS_CODE

  for (const OTEL_TRACES_SAMPLER of ['always_on', 'always_off']) {
    it(`are those of the semantic conventions, whether spans are recorded or not: ${OTEL_TRACES_SAMPLER}`, async () => {
      const { stderr, code } = await run({ OTEL_TRACES_SAMPLER, OTEL_METRICS_EXPORTER: 'otlp' })
      assert.deepEqual([stderr, code], ['', 0])
      assert.equal(receiver.spans.length > 0, OTEL_TRACES_SAMPLER === 'always_on')
      const server = of(names.METRIC_HTTP_SERVER_REQUEST_DURATION)
      assert.deepEqual(
        server.map(({ attributes, histogram }) => [attributes, histogram!.count]).sort(),
        [
          [
            {
              'http.request.method': 'GET',
              'http.response.status_code': 200,
              'network.protocol.version': '1.1',
              'url.scheme': 'http',
            },
            4,
          ],
          [
            {
              'error.type': '500',
              'http.request.method': 'GET',
              'http.response.status_code': 500,
              'network.protocol.version': '1.1',
              'url.scheme': 'http',
            },
            1,
          ],
        ].sort(),
      )
      for (const { unit, histogram, value } of server) {
        assert.equal(unit, 's')
        assert.deepEqual(histogram!.bounds.slice(0, 3), [0.005, 0.01, 0.025])
        assert.ok(value / histogram!.count > 0.015 && value / histogram!.count < 5, `${value}`)
      }
      const client = of(names.METRIC_HTTP_CLIENT_REQUEST_DURATION)
      const counts = (wanted: unknown) =>
        client
          .filter(({ attributes }) => attributes[status] === wanted)
          .map(({ histogram }) => histogram!.count)
      assert.deepEqual(
        counts(200).reduce((sum, count) => sum + count, 0),
        4,
      )
      assert.deepEqual(counts(500), [1])
      const failed = client.filter(({ attributes }) => attributes[status] === undefined)
      assert.deepEqual(
        failed.map(({ attributes }) => [attributes['error.type'], attributes['server.port']]),
        [['ECONNREFUSED', 1]],
      )
    })
  }

  it('are told of tasks of a pool: from submission to outcome, and how much of it they waited and ran', async () => {
    const { stderr } = await runProgram(fixture('metrics/tasks.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_METRICS_EXPORTER: 'otlp' },
    })
    assert.equal(stderr, '')
    const about = (name: string) =>
      of(name).map(({ attributes, histogram, unit }) => [attributes['error.type'], histogram!.count, unit])
    assert.deepEqual(about('threadspan.pool.task.duration'), [
      [undefined, 3, 's'],
      ['TypeError', 1, 's'],
    ])
    for (const { attributes } of of('threadspan.pool.task.duration'))
      assert.deepEqual([attributes['threadspan.pool'], attributes['threadspan.task']], ['piscina', 'tasks'])
    const total = (name: string) => of(name).reduce((sum, { value }) => sum + value, 0)
    const runs = of('threadspan.pool.task.run_time').reduce((sum, { histogram }) => sum + histogram!.count, 0)
    assert.equal(runs, 4)
    assert.ok(total('threadspan.pool.task.run_time') >= 0.07)
    // The second waits for the first, the third for both, the fourth for three.
    assert.ok(total('threadspan.pool.task.wait_time') >= 0.1)
    assert.ok(
      total('threadspan.pool.task.duration') >=
        total('threadspan.pool.task.wait_time') + total('threadspan.pool.task.run_time') - 0.01,
    )
  })

  it('are told with what else a transaction took, where that is chosen', async () => {
    const take = (THREADSPAN_TRANSACTION_METRICS: string) =>
      runProgram(fixture('metrics/transactions.mjs'), {
        node: ['--require', PRELOAD],
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          OTEL_METRICS_EXPORTER: 'otlp',
          THREADSPAN_TRANSACTION_METRICS,
        },
      })
    const { stderr } = await take('cpu,rss,heap,modules,loop')
    assert.equal(stderr, '')
    const [one] = of('threadspan.transaction.modules')
    // Two transactions in each of two threads.
    assert.deepEqual([one!.value, one!.histogram!.count, one!.unit], [2, 4, '{module}'])
    for (const [name, unit, least] of [
      ['cpu.time', 's', 0.1],
      ['loop.active', 's', 0],
      ['rss.growth', 'By', 0],
      ['heap.growth', 'By', 100_000],
    ] as const) {
      const [found, ...others] = of(`threadspan.transaction.${name}`)
      assert.deepEqual([found!.unit, found!.histogram!.count, others], [unit, 4, []])
      assert.ok(found!.value >= least, `${name} ${found!.value}`)
    }
    const wrong = await take('cpu,disk')
    assert.match(
      wrong.stderr,
      /THREADSPAN_TRANSACTION_METRICS: "disk" is none of cpu, rss, heap, modules, loop/,
    )
    const told = new Set(receiver.metrics.at(-1)!.map(({ name }) => name))
    assert.deepEqual(
      [told.has('threadspan.transaction.cpu.time'), told.has('threadspan.transaction.modules')],
      [true, false],
    )
  })

  it('are not told of where nobody wants metrics', async () => {
    await run({})
    assert.deepEqual(receiver.metrics, [])
  })
})
