import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import * as names from '@opentelemetry/semantic-conventions/incubating'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedPoint, Receiver } from '../support/receiver.js'

describe('what is told of Node, the process and the system', { timeout: 60_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.metrics.length = 0
  })

  const run = (file: string, env: Record<string, string> = {}) =>
    runProgram(fixture(file), {
      node: ['--require', PRELOAD],
      env: {
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_METRIC_EXPORT_INTERVAL: '500',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        ...env,
      },
    })
  const of = (name: string): ReceivedPoint[] => receiver.metrics.flat().filter((point) => point.name === name)
  const about = (points: ReceivedPoint[], thread: string) =>
    points.filter(({ attributes }) => attributes['thread.name'] === thread).map(({ value }) => value)

  it('has the names, units and kinds of the semantic conventions', async () => {
    const { stderr } = await run('metrics/background.mjs')
    assert.equal(stderr, '')
    const told = new Map(
      receiver.metrics.flat().map(({ name, unit, kind, isMonotonic }) => [name, [kind, unit, isMonotonic]]),
    )
    const expected: [name: string, kind: string, unit: string, isMonotonic: boolean][] = [
      [names.METRIC_PROCESS_CPU_TIME, 'sum', 's', true],
      [names.METRIC_PROCESS_MEMORY_USAGE, 'sum', 'By', false],
      [names.METRIC_PROCESS_UPTIME, 'gauge', 's', false],
      [names.METRIC_PROCESS_UNIX_FILE_DESCRIPTOR_COUNT, 'sum', '{file_descriptor}', false],
      [names.METRIC_SYSTEM_CPU_TIME, 'sum', 's', true],
      [names.METRIC_SYSTEM_MEMORY_USAGE, 'sum', 'By', false],
      [names.METRIC_NODEJS_EVENTLOOP_UTILIZATION, 'gauge', '1', false],
      [names.METRIC_NODEJS_EVENTLOOP_TIME, 'sum', 's', true],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_MIN, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_MAX, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_MEAN, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_STDDEV, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_P50, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_P90, 'gauge', 's', false],
      [names.METRIC_NODEJS_EVENTLOOP_DELAY_P99, 'gauge', 's', false],
      [names.METRIC_V8JS_MEMORY_HEAP_USED, 'sum', 'By', false],
      [names.METRIC_V8JS_MEMORY_HEAP_SPACE_SIZE, 'sum', 'By', false],
      [names.METRIC_V8JS_MEMORY_HEAP_SPACE_AVAILABLE_SIZE, 'sum', 'By', false],
      [names.METRIC_V8JS_MEMORY_HEAP_SPACE_PHYSICAL_SIZE, 'sum', 'By', false],
      [names.METRIC_V8JS_RESOURCE_ACTIVE, 'gauge', '{resource}', false],
    ]
    for (const [name, ...rest] of expected) assert.deepEqual(told.get(name), rest, name)
    const known = new Set(Object.values(names))
    for (const name of told.keys())
      if (!name.startsWith('threadspan.')) assert.ok(known.has(name as never), name)
  })

  it('tells of each event loop, of one that is blocked from outside', async () => {
    await run('metrics/background.mjs')
    const utilization = of(names.METRIC_NODEJS_EVENTLOOP_UTILIZATION)
    assert.ok(Math.max(...about(utilization, 'busy')) > 0.9, about(utilization, 'busy').join())
    assert.ok(Math.min(...about(utilization, 'idle')) < 0.5, about(utilization, 'idle').join())
    assert.ok(Math.min(...about(utilization, 'main')) < 0.5, about(utilization, 'main').join())
    const active = of(names.METRIC_NODEJS_EVENTLOOP_TIME).filter(
      ({ attributes }) => attributes[names.ATTR_NODEJS_EVENTLOOP_STATE] === 'active',
    )
    const seconds = about(active, 'busy')
    assert.ok(seconds.at(-1)! > seconds[0]! && seconds.at(-1)! > 0.5, seconds.join())
    const cpu = of(names.METRIC_PROCESS_CPU_TIME).filter(
      ({ attributes }) => attributes['cpu.mode'] === 'user',
    )
    assert.ok(cpu.at(-1)!.value > 0.5)
    for (const { value } of of(names.METRIC_PROCESS_MEMORY_USAGE)) assert.ok(value > 1e7)
  })

  it('tells of pools: their workers, and what waits for one', async () => {
    const { stderr, code } = await run('metrics/queue.mjs')
    assert.deepEqual([stderr, code], ['', 0])
    for (const pool of ['piscina', 'workerpool']) {
      const values = (name: string) =>
        of(name)
          .filter(({ attributes }) => attributes['threadspan.pool'] === pool)
          .map(({ value }) => value)
      const queued = values('threadspan.pool.queue.length')
      assert.ok(Math.max(...queued) >= 2 && Math.max(...queued) <= 4, `${pool}: ${queued.join()}`)
      assert.ok(Math.max(...values('threadspan.pool.workers')) === 1, pool)
    }
  })

  it('is told once of a process and its children together, and not at all where that is turned off', async () => {
    await run('metrics/other-service.mjs')
    const last = receiver.metrics.at(-1)!
    assert.equal(last.filter(({ name }) => name === names.METRIC_PROCESS_UPTIME).length, 1)
    assert.equal(last.filter(({ name }) => name === names.METRIC_NODEJS_EVENTLOOP_UTILIZATION).length, 1)
    receiver.metrics.length = 0
    await run('metrics/other-service.mjs', {
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'runtime-node, host-metrics',
    })
    const scopes = new Set(receiver.metrics.flat().map(({ scope }) => scope))
    assert.deepEqual([...scopes].sort(), ['shop', 'threadspan'])
  })
})
