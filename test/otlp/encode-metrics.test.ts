import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { decodeMetrics } from '#dist/otlp/decode-metrics.js'
import { encodeResource } from '#dist/otlp/encode.js'
import { encodeMetricsRequest } from '#dist/otlp/encode-metrics.js'
import type { Metric, NumberPoint, SumMetric } from '../../src/otlp/metrics-types.js'

const start = 1_790_000_000_000_000_001n
const plain = (attributes: object) => Object.assign(Object.create(null), attributes)

function point(value: NumberPoint['value'], attributes: object = {}, flags = 0): NumberPoint {
  return {
    value,
    flags,
    attributes: plain(attributes),
    startTimeUnixNano: start,
    timeUnixNano: start + 1_000_000_000n,
  }
}

const metrics: SumMetric[] = [
  {
    name: 'spans',
    description: 'Spans that there were',
    unit: '{span}',
    data: {
      kind: 'sum',
      temporality: 2,
      monotonic: true,
      points: [point(7), point(0, { 'error.type': 'queue_full', list: ['ä', 1.5], yes: true })],
    },
  },
  {
    name: 'extremes',
    description: '',
    unit: '',
    data: {
      kind: 'sum',
      temporality: 1,
      monotonic: false,
      points: [
        ...[-3, 0.25, -1e300, Number.MAX_SAFE_INTEGER, 2n ** 62n, -(2n ** 62n)].map((value) => point(value)),
        point(null, {}, 1),
      ],
    },
  },
]
/** What is no sum. */
const others: Metric[] = [
  { name: 'level', description: '', unit: '1', data: { kind: 'gauge', points: [point(0.5), point(-3)] } },
  {
    name: 'sizes',
    description: 'By bounds',
    unit: 'By',
    data: {
      kind: 'histogram',
      temporality: 2,
      points: [
        {
          ...point(null, { a: 'b' }),
          count: 6,
          sum: 12.5,
          min: 0,
          max: 7,
          bucketCounts: [1, 0, 5],
          explicitBounds: [0.5, 4],
        },
      ].map(({ value: _, ...rest }) => rest),
    },
  },
  {
    name: 'spread',
    description: '',
    unit: '',
    data: {
      kind: 'exponentialHistogram',
      temporality: 1,
      points: [
        {
          ...point(null),
          count: 2 ** 40 + 301,
          sum: 5,
          min: null,
          max: null,
          scale: -3,
          zeroCount: 1,
          zeroThreshold: 0,
          positive: { offset: -70, bucketCounts: [300, 0, 2 ** 40] },
          negative: { offset: 0, bucketCounts: [] },
        },
      ].map(({ value: _, ...rest }) => rest),
    },
  },
]

const scope = { name: 'threadspan', version: '1.2.3', attributes: plain({}), droppedAttributesCount: 0 }
const bytes = encodeMetricsRequest([
  {
    resource: encodeResource({ 'service.name': 'orders', 'process.pid': 4242 }),
    scopes: [{ scope, metrics, schemaUrl: 'https://schema.example/1' }],
  },
])

describe('encodeMetricsRequest', () => {
  it('writes what the decoder reads', () => {
    const [group, ...others] = decodeMetrics(bytes).resourceMetrics
    assert.deepEqual(others, [])
    assert.deepEqual({ ...group!.resource.attributes }, { 'service.name': 'orders', 'process.pid': 4242 })
    const [scope] = group!.scopeMetrics
    assert.deepEqual([scope!.scope.name, scope!.scope.version], ['threadspan', '1.2.3'])
    assert.deepEqual(scope!.metrics, metrics)
    assert.equal(scope!.schemaUrl, 'https://schema.example/1')
  })

  it('writes what is no sum as the decoder reads it', () => {
    const written = encodeMetricsRequest([
      { resource: encodeResource({}), scopes: [{ scope, metrics: others, schemaUrl: '' }] },
    ])
    const [group] = decodeMetrics(written).resourceMetrics
    assert.deepEqual(group!.scopeMetrics[0]!.metrics, others)
  })

  it('writes the span that a value is an example of', () => {
    const exemplar = {
      value: 2.5,
      timeUnixNano: start,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
    }
    const counted: Metric = {
      name: 'n',
      description: '',
      unit: '',
      data: { kind: 'gauge', points: [{ ...point(1), exemplars: [exemplar] }] },
    }
    const written = encodeMetricsRequest([
      { resource: encodeResource({}), scopes: [{ scope, metrics: [counted], schemaUrl: '' }] },
    ])
    const require = createRequire(import.meta.url)
    const entry = require.resolve('@opentelemetry/otlp-definitions')
    const root = require(entry.replace(/index\.js$/, 'generated/root.js'))
    const Request = root.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest
    const read = Request.toObject(Request.decode(written), { longs: String, bytes: Array })
    const [told] = read.resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].exemplars
    assert.deepEqual(
      [
        told.asDouble,
        told.timeUnixNano,
        Buffer.from(told.traceId).toString('hex'),
        Buffer.from(told.spanId).toString('hex'),
      ],
      [exemplar.value, String(start), exemplar.traceId, exemplar.spanId],
    )
  })

  it("writes what OpenTelemetry's own definitions read", () => {
    const require = createRequire(import.meta.url)
    const entry = require.resolve('@opentelemetry/otlp-definitions')
    const root = require(entry.replace(/index\.js$/, 'generated/root.js'))
    const Request = root.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest
    const read = Request.toObject(Request.decode(bytes), { longs: String, enums: String, defaults: false })
    const [spans, extremes] = read.resourceMetrics[0].scopeMetrics[0].metrics
    assert.deepEqual(
      [spans.name, spans.unit, spans.description],
      ['spans', '{span}', 'Spans that there were'],
    )
    assert.deepEqual(
      [spans.sum.aggregationTemporality, spans.sum.isMonotonic],
      ['AGGREGATION_TEMPORALITY_CUMULATIVE', true],
    )
    const [first, second] = spans.sum.dataPoints
    assert.deepEqual(
      [first.asInt, first.startTimeUnixNano, first.timeUnixNano],
      ['7', String(start), String(start + 1_000_000_000n)],
    )
    assert.deepEqual(second.attributes[0], { key: 'error.type', value: { stringValue: 'queue_full' } })
    assert.deepEqual(
      [extremes.sum.aggregationTemporality, extremes.sum.isMonotonic ?? false],
      ['AGGREGATION_TEMPORALITY_DELTA', false],
    )
    assert.deepEqual(
      extremes.sum.dataPoints.map((one: { asInt?: string; asDouble?: number }) => one.asInt ?? one.asDouble),
      [
        '-3',
        0.25,
        -1e300,
        String(Number.MAX_SAFE_INTEGER),
        String(2n ** 62n),
        String(-(2n ** 62n)),
        undefined,
      ],
    )
    assert.equal(extremes.sum.dataPoints.at(-1).flags, 1)
  })
})
