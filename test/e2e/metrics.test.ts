import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedPoint, Receiver } from '../support/receiver.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test metrics '))
after(() => rmSync(folder, { recursive: true, force: true }))

const PROCESSED = 'otel.sdk.processor.span.processed'
const QUEUED = 'otel.sdk.processor.span.queue.size'
const EXPORTED = 'otel.sdk.exporter.span.exported'
const INFLIGHT = 'otel.sdk.exporter.span.inflight'

/** The accounts that an export tells, by the formulas of docs/endings.md. */
function accountsIn(points: ReceivedPoint[]) {
  const sum = (name: string, error?: string | false) =>
    points
      .filter((point) => point.name === name)
      .filter(({ attributes }) => error === undefined || (attributes['error.type'] ?? false) === error)
      .reduce((total, { value }) => total + value, 0)
  const dropped: Record<string, number> = {}
  for (const { value, attributes } of points) {
    const cause = attributes['error.type'] as string | undefined
    if (cause !== undefined && cause !== 'spooled') dropped[cause] = (dropped[cause] ?? 0) + value
  }
  assert.equal(sum(PROCESSED, false), sum(EXPORTED) + sum(INFLIGHT))
  return {
    made: sum(PROCESSED) + sum(QUEUED),
    delivered: sum(EXPORTED, false),
    waiting: sum(QUEUED) + sum(INFLIGHT),
    kept: sum(PROCESSED, 'spooled') + sum(EXPORTED, 'spooled'),
    dropped,
  }
}

describe('the metrics of a program', { timeout: 120_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
    receiver.metrics.length = 0
    for (const path of Object.keys(receiver.answers)) delete receiver.answers[path]
  })

  const on = {
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_SERVICE_NAME: 'measured',
    // The accounts alone.
    OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'runtime-node,host-metrics',
  }
  const work = (env: Record<string, string>, ...args: string[]) =>
    runProgram(fixture('deaths/program.cjs'), {
      node: ['--require', PRELOAD],
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    })
  const last = () => receiver.metrics.at(-1)!

  it('are not exported unless that is asked for', async () => {
    await work({}, 'work', 'natural', '50')
    assert.equal(receiver.spans.length, 51)
    assert.deepEqual(receiver.metrics, [])
  })

  it('tell at the end of every span, of the same resource', async () => {
    const { stderr } = await work(on, 'work', 'natural', '300')
    assert.equal(receiver.metrics.length, 1)
    const none = { waiting: 0, kept: 0, dropped: {} }
    assert.deepEqual(accountsIn(last()), { made: 301, delivered: 301, ...none })
    const { resource } = receiver.spans[0]!
    assert.equal(resource['service.name'], 'measured')
    const end = receiver.spans.reduce((latest, span) => (span.end > latest ? span.end : latest), 0n)
    for (const point of last()) {
      assert.deepEqual(point.resource, resource)
      assert.deepEqual([point.unit, point.temporality, point.scope], ['{span}', 2, 'threadspan'])
      assert.equal(point.isMonotonic, point.name === PROCESSED || point.name === EXPORTED)
      assert.ok(point.start < point.time && point.time >= end)
    }
    assert.equal(stderr, '')
  })

  it('tell what a receiver refuses', async () => {
    receiver.answers['/v1/traces'] = 400
    const { stderr } = await work(on, 'work', 'natural', '300')
    assert.match(stderr, /301 of 301 spans did not arrive: rejected 301 /)
    assert.deepEqual(accountsIn(last()), {
      made: 301,
      delivered: 0,
      waiting: 0,
      kept: 0,
      dropped: { rejected: 301 },
    })
  })

  it('tell what there was no room for, of descendants too', async () => {
    const small = { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' }
    const { stderr } = await work({ ...on, ...small }, 'child', 'natural', '500')
    const accounts = accountsIn(last())
    const [, lost, made] = /(\d+) of (\d+) spans did not arrive: queue-full \d+ /.exec(stderr)!.map(Number)
    assert.deepEqual(accounts, {
      made,
      delivered: receiver.spans.length,
      waiting: 0,
      kept: 0,
      dropped: { queue_full: lost },
    })
    assert.equal(receiver.spans.length + lost!, made)
  })

  it('tell what the spool keeps', async () => {
    const spool = join(folder, 'spool')
    const nobody = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9', THREADSPAN_SPOOL: spool }
    await work({ ...on, ...nobody }, 'work', 'natural', '300')
    assert.deepEqual(accountsIn(last()), { made: 301, delivered: 0, waiting: 0, kept: 301, dropped: {} })
  })

  it('come at their interval, and only grow', async () => {
    await work({ ...on, OTEL_METRIC_EXPORT_INTERVAL: '100' }, 'work-slowly', 'natural', '100')
    assert.ok(receiver.metrics.length > 2, `${receiver.metrics.length} exports`)
    grow(receiver.metrics)
    assert.deepEqual(accountsIn(last()).made, 101)
  })

  it('do without a receiver of theirs, and the spans without them', async () => {
    receiver.answers['/v1/metrics'] = 404
    const { stderr, code } = await work(
      { ...on, OTEL_METRIC_EXPORT_INTERVAL: '100' },
      'work-slowly',
      'natural',
      '50',
    )
    assert.equal(code, 0)
    assert.equal(receiver.spans.length, 51)
    assert.equal(stderr.match(/THREADSPAN_METRICS/g)?.length, 1, stderr)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  })

  const survive = async (collector: string) => {
    const dist = dirname(PRELOAD)
    const { stdout } = await runProgram(fixture('relay/survivor.mjs'), {
      args: [dist, fixture(`relay/${collector}`)],
      env: {
        ...on,
        OTEL_METRIC_EXPORT_INTERVAL: '50',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        THREADSPAN_EXIT_TIMEOUT: '20000',
        THREADSPAN_TEST_MARKER: join(folder, 'failed'),
        THREADSPAN_TEST_COLLECTOR: join(dist, 'collector.cjs'),
      },
    })
    grow(receiver.metrics)
    return { ...accountsIn(last()), expected: (JSON.parse(stdout) as { made: number }).made }
  }

  it('tell what the memory of a thread had no room for', async () => {
    const { made, delivered, dropped, expected } = await survive('blocked-collector.mjs')
    assert.ok(dropped['ring_full']! > 0)
    assert.deepEqual([made, delivered + dropped['ring_full']!], [expected, expected])
    assert.equal(delivered, receiver.spans.length)
  })

  it('go on where a telemetry thread that died has left them', async () => {
    const { made, delivered, waiting, dropped, expected } = await survive('failing-collector.mjs')
    assert.deepEqual([made, delivered + (dropped['collector'] ?? 0), waiting], [expected, expected, 0])
    assert.ok(delivered <= receiver.spans.length)
  })
})

describe('accounts()', { timeout: 60_000 }, () => {
  const ask = async (env: Record<string, string>) => {
    const { stdout, stderr } = await runProgram(fixture('e2e/accounts.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_TRACES_EXPORTER: 'none', ...env },
    })
    assert.equal(stderr, '')
    return JSON.parse(stdout)
  }

  it('tells the same in every thread of the process that exports, and nothing in its children', async () => {
    const { ofMain, ofWorker, ofChild } = await ask({})
    const { made, ...rest } = ofMain
    // Five of each, those that were made of starting them may be among it.
    assert.ok(made >= 15, `${made}`)
    assert.deepEqual(rest, { delivered: made, waiting: 0, kept: 0, dropped: {} })
    assert.deepEqual(ofWorker, ofMain)
    assert.equal(ofChild, null)
  })

  it('tells nothing where nothing is recorded', async () => {
    assert.deepEqual(await ask({ OTEL_SDK_DISABLED: 'true' }), { ofWorker: null, ofChild: null })
  })
})

/** The same start, and no monotonic sum that falls. */
function grow(exports: ReceivedPoint[][]): void {
  const values = new Map<string, number>()
  const starts = new Set<bigint>()
  for (const points of exports) {
    accountsIn(points)
    for (const { name, attributes, value, isMonotonic, start } of points) {
      starts.add(start)
      if (!isMonotonic) continue
      const key = `${name} ${attributes['error.type']}`
      assert.ok(value >= (values.get(key) ?? 0), key)
      values.set(key, value)
    }
  }
  assert.equal(starts.size, 1)
}
