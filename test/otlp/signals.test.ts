import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ValueType } from '@opentelemetry/api'
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics'
import { decodeLogs } from '#dist/otlp/decode-logs.js'
import { decodeMetrics } from '#dist/otlp/decode-metrics.js'
import { lengthDelimited } from '#dist/otlp/encode.js'
import { logsFromJson } from '#dist/otlp/json-logs.js'
import { metricsFromJson } from '#dist/otlp/json-metrics.js'

const malformed = { code: 'THREADSPAN_OTLP_MALFORMED' }
const json = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes))

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

async function sdkMetrics() {
  const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'orders' }),
    readers: [reader],
    views: [
      {
        instrumentName: 'sizes',
        aggregation: {
          type: AggregationType.EXPONENTIAL_HISTOGRAM,
          options: { maxSize: 20, recordMinMax: true },
        },
      },
    ],
  })
  const meter = provider.getMeter('tests', '1')
  meter
    .createCounter('requests', { unit: '{request}', description: 'Requests', valueType: ValueType.INT })
    .add(7, { route: '/a' })
  meter.createUpDownCounter('balance').add(-2.5)
  meter
    .createObservableGauge('heap', { unit: 'By' })
    .addCallback((result) => result.observe(123.5, { space: 'new' }))
  const latency = meter.createHistogram('latency', { unit: 'ms' })
  for (const value of [1, 12, 80, 700]) latency.record(value, { route: '/a' })
  const sizes = meter.createHistogram('sizes')
  for (const value of [0, 1, 2, 1000]) sizes.record(value)
  const { resourceMetrics } = await reader.collect()
  await provider.shutdown()
  return resourceMetrics
}

describe('decodeMetrics', () => {
  it("reads what OpenTelemetry's serializer writes, as JSON does", async () => {
    const metrics = await sdkMetrics()
    const decoded = decodeMetrics(ProtobufMetricsSerializer.serializeRequest(metrics)!)
    assert.deepEqual(decoded, metricsFromJson(json(JsonMetricsSerializer.serializeRequest(metrics))))
    const byName = new Map(
      decoded.resourceMetrics[0]!.scopeMetrics[0]!.metrics.map((metric) => [metric.name, metric]),
    )
    const counter = byName.get('requests')!
    assert.equal(counter.unit, '{request}')
    assert.ok(counter.data?.kind === 'sum')
    assert.equal(counter.data.monotonic, true)
    assert.equal(counter.data.temporality, 2)
    assert.equal(counter.data.points[0]!.value, 7)
    assert.deepEqual({ ...counter.data.points[0]!.attributes }, { route: '/a' })
    const gauge = byName.get('heap')!.data
    assert.ok(gauge?.kind === 'gauge')
    assert.equal(gauge.points[0]!.value, 123.5)
    const histogram = byName.get('latency')!.data
    assert.ok(histogram?.kind === 'histogram')
    const [point] = histogram.points
    assert.deepEqual([point!.count, point!.sum, point!.min, point!.max], [4, 793, 1, 700])
    assert.equal(point!.bucketCounts.length, point!.explicitBounds.length + 1)
    assert.equal(
      point!.bucketCounts.reduce((a, b) => a + b),
      4,
    )
    const exponential = byName.get('sizes')!.data
    assert.ok(exponential?.kind === 'exponentialHistogram')
    assert.equal(exponential.points[0]!.zeroCount, 1)
    assert.equal(
      exponential.points[0]!.positive.bucketCounts.reduce((a, b) => a + b),
      3,
    )
  })

  it('reads a summary, which SDKs no longer write', () => {
    const double = (tag: number, value: number) => {
      const bytes = Buffer.alloc(9, tag)
      bytes.writeDoubleLE(value, 1)
      return bytes
    }
    const quantile = lengthDelimited(0x32, Buffer.concat([double(0x09, 0.99), double(0x11, 42)]))
    const count = Buffer.from([0x21, 3, 0, 0, 0, 0, 0, 0, 0])
    const point = lengthDelimited(0x0a, Buffer.concat([count, double(0x29, 60), quantile]))
    const metric = lengthDelimited(
      0x12,
      Buffer.concat([lengthDelimited(0x0a, Buffer.from('gc')), lengthDelimited(0x5a, point)]),
    )
    const { data } = decodeMetrics(lengthDelimited(0x0a, lengthDelimited(0x12, metric))).resourceMetrics[0]!
      .scopeMetrics[0]!.metrics[0]!
    assert.ok(data?.kind === 'summary')
    assert.deepEqual([data.points[0]!.count, data.points[0]!.sum], [3, 60])
    assert.deepEqual(data.points[0]!.quantiles, [{ quantile: 0.99, value: 42 }])
  })

  it('refuses truncated bytes', async () => {
    const bytes = ProtobufMetricsSerializer.serializeRequest(await sdkMetrics())!
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(() => decodeMetrics(bytes.subarray(0, length)), malformed)
    }
  })
})

function sdkLogs() {
  const memory = new InMemoryLogRecordExporter()
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'orders' }),
    processors: [new SimpleLogRecordProcessor({ exporter: memory })],
  })
  provider.getLogger('tests').emit({
    severityNumber: 17,
    severityText: 'ERROR',
    body: { text: 'no such order', id: 12 },
    attributes: { a: 1, b: ['x'] },
    timestamp: [1_790_000_000, 5],
    eventName: 'order.failed',
  })
  return memory.getFinishedLogRecords()
}

describe('decodeLogs', () => {
  it("reads what OpenTelemetry's serializer writes, as JSON does", () => {
    const records = sdkLogs()
    const decoded = decodeLogs(ProtobufLogsSerializer.serializeRequest(records)!)
    assert.deepEqual(decoded, logsFromJson(json(JsonLogsSerializer.serializeRequest(records))))
    const record = decoded.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!
    assert.equal(record.timeUnixNano, 1_790_000_000_000_000_005n)
    assert.equal(record.severityNumber, 17)
    assert.equal(record.severityText, 'ERROR')
    assert.equal(record.eventName, 'order.failed')
    assert.deepEqual({ ...(record.body as object) }, { text: 'no such order', id: 12 })
  })

  it('refuses truncated bytes', () => {
    const bytes = ProtobufLogsSerializer.serializeRequest(sdkLogs())!
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(() => decodeLogs(bytes.subarray(0, length)), malformed)
    }
  })
})
