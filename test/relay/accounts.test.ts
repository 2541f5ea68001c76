import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as names from '@opentelemetry/semantic-conventions/incubating'
import { accountMetrics } from '#dist/collector/account-metrics.js'

import { Accounts } from '#dist/ring/accounts.js'
import { layout } from './support.js'

const control = () => new SharedArrayBuffer(layout.CONTROL_BYTES)
const NONE = { made: 0, delivered: 0, waiting: 0, kept: 0, dropped: {} }

describe('the accounts', () => {
  it('tell of each span where it is, to every thread', () => {
    const block = control()
    const reader = new Accounts(block)
    assert.deepEqual(reader.read(), NONE)
    const accounts = new Accounts(block).open()
    accounts.make(100)
    accounts.drop('queue', 'queue-full', 5)
    accounts.submit(60)
    assert.deepEqual(reader.read(), { ...NONE, made: 100, waiting: 95, dropped: { 'queue-full': 5 } })
    accounts.deliver(40)
    accounts.drop('exporter', 'too-large', 2)
    accounts.drop('exporter', 'spooled', 8)
    accounts.make(1)
    accounts.drop('queue', 'too-large', 1)
    assert.deepEqual([reader.queued, reader.inFlight], [35, 10])
    assert.deepEqual(reader.read(), {
      made: 101,
      delivered: 40,
      waiting: 45,
      kept: 8,
      dropped: { 'queue-full': 5, 'too-large': 3 },
    })
  })

  it('go on with another collector, which counts as lost what the first one had', () => {
    const block = control()
    const first = new Accounts(block).open()
    const { since } = first
    first.make(50)
    first.drop('queue', 'ring-full', 4)
    first.submit(20)
    first.deliver(11)
    const second = new Accounts(block).open()
    assert.equal(second.since, since)
    const dropped = { 'ring-full': 4, collector: 35 }
    assert.deepEqual(second.read(), { made: 50, delivered: 11, waiting: 0, kept: 0, dropped })
    second.make(2)
    second.submit(2)
    second.deliver(2)
    assert.deepEqual(second.read(), { made: 52, delivered: 13, waiting: 0, kept: 0, dropped })
  })

  it('count a cause that they do not know as a failure, and more spans than 32 bits hold', () => {
    const accounts = new Accounts(control()).open()
    accounts.make(2 ** 33)
    accounts.drop('queue', 'of a later version', 2)
    assert.deepEqual(accounts.read(), {
      ...NONE,
      made: 2 ** 33,
      waiting: 2 ** 33 - 2,
      dropped: { failed: 2 },
    })
  })
})

describe('the metrics of the accounts', () => {
  const accounts = new Accounts(control()).open()
  accounts.make(10)
  accounts.drop('queue', 'queue-full', 1)
  accounts.submit(7)
  accounts.deliver(3)
  accounts.drop('exporter', 'rejected', 2)
  const metrics = accountMetrics(accounts, names.OTEL_COMPONENT_TYPE_VALUE_OTLP_HTTP_SPAN_EXPORTER)

  it('are those of log records for these', () => {
    const processor = names.OTEL_COMPONENT_TYPE_VALUE_BATCHING_LOG_PROCESSOR
    const exporter = names.OTEL_COMPONENT_TYPE_VALUE_OTLP_HTTP_LOG_EXPORTER
    const told = accountMetrics(new Accounts(control(), 'logs').open(), exporter, 'logs')
    assert.deepEqual(
      told.map(({ name, unit, data }) => [
        name,
        unit,
        data.points[0]!.attributes[names.ATTR_OTEL_COMPONENT_TYPE],
      ]),
      [
        [names.METRIC_OTEL_SDK_PROCESSOR_LOG_PROCESSED, '{log_record}', processor],
        [names.METRIC_OTEL_SDK_PROCESSOR_LOG_QUEUE_SIZE, '{log_record}', processor],
        [names.METRIC_OTEL_SDK_EXPORTER_LOG_EXPORTED, '{log_record}', exporter],
        [names.METRIC_OTEL_SDK_EXPORTER_LOG_INFLIGHT, '{log_record}', exporter],
      ],
    )
  })

  it('have the names, attributes and kinds of the semantic conventions', () => {
    const processor = names.OTEL_COMPONENT_TYPE_VALUE_BATCHING_SPAN_PROCESSOR
    const exporter = names.OTEL_COMPONENT_TYPE_VALUE_OTLP_HTTP_SPAN_EXPORTER
    assert.deepEqual(
      metrics.map(({ name, unit, data }) => [name, unit, data.monotonic, data.temporality]),
      [
        [names.METRIC_OTEL_SDK_PROCESSOR_SPAN_PROCESSED, '{span}', true, 2],
        [names.METRIC_OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE, '{span}', false, 2],
        [names.METRIC_OTEL_SDK_EXPORTER_SPAN_EXPORTED, '{span}', true, 2],
        [names.METRIC_OTEL_SDK_EXPORTER_SPAN_INFLIGHT, '{span}', false, 2],
      ],
    )
    const types = [processor, processor, exporter, exporter]
    metrics.forEach(({ data }, i) => {
      for (const { attributes, startTimeUnixNano, timeUnixNano } of data.points) {
        assert.equal(attributes[names.ATTR_OTEL_COMPONENT_TYPE], types[i])
        assert.equal(attributes[names.ATTR_OTEL_COMPONENT_NAME], `${types[i]}/0`)
        assert.equal(startTimeUnixNano, accounts.since)
        assert.ok(timeUnixNano >= startTimeUnixNano)
      }
    })
  })

  it('tell each figure, and a failure by its cause', () => {
    const told = metrics.map(({ data }) =>
      data.points.map(({ value, attributes }) => [value, attributes[names.ATTR_ERROR_TYPE]]),
    )
    assert.deepEqual(told, [
      [
        [7, undefined],
        [1, 'queue_full'],
      ],
      [[2, undefined]],
      [
        [3, undefined],
        [2, 'rejected'],
      ],
      [[2, undefined]],
    ])
  })
})
