import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { MetricRow, MetricSeries, SpanDetail, TraceColumns, TraceSummary } from '../../src/viewer/api.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { api, post, viewer } from './support.js'

describe("what OpenTelemetry's exporters send", () => {
  for (const [name, Exporter] of [
    ['http/json', HttpExporter],
    ['http/protobuf', ProtoExporter],
  ] as const) {
    it(`arrives right over ${name} with gzip`, async (t) => {
      const target = await viewer(t)
      const url = `${target.endpoint}/v1/traces`
      const provider = new BasicTracerProvider({
        resource: resourceFromAttributes({ 'service.name': 'sdk', 'process.pid': 77 }),
        spanProcessors: [
          new BatchSpanProcessor(new Exporter({ url, compression: CompressionAlgorithm.GZIP })),
        ],
      })
      const tracer = provider.getTracer('t', '3')
      const root = tracer.startSpan('GET /x', {
        kind: SpanKind.SERVER,
        attributes: { 'http.response.status_code': 404 },
      })
      const context = trace.setSpan((await import('@opentelemetry/api')).ROOT_CONTEXT, root)
      for (let i = 0; i < 20; i++) {
        const child = tracer.startSpan(
          `child ${i}`,
          { attributes: { i, 'thread.id': i % 3, ratio: 0.5 } },
          context,
        )
        if (i === 7) {
          child.recordException(new RangeError('seven'))
          child.setStatus({ code: SpanStatusCode.ERROR, message: 'seven' })
        }
        child.end()
      }
      root.end()
      await provider.shutdown()
      const [summary] = await api<TraceSummary[]>(target, 'traces')
      assert.deepEqual(
        [summary!.name, summary!.service, summary!.spans, summary!.errors, summary!.status, summary!.orphans],
        ['GET /x', 'sdk', 21, 1, '404', 0],
      )
      const columns = await api<TraceColumns>(target, `trace/${summary!.traceId}`)
      const seven = columns.name.findIndex((index) => columns.strings[index] === 'child 7')
      assert.equal(columns.flags[seven], 17)
      const detail = await api<SpanDetail>(target, `trace/${summary!.traceId}/span/${columns.id[seven]!}`)
      assert.deepEqual(detail.attributes, { i: 7, 'thread.id': 1, ratio: 0.5 })
      assert.equal(detail.parentSpanId, root.spanContext().spanId)
      assert.equal(detail.status.message, 'seven')
      assert.equal(detail.events[0]!.attributes['exception.message'], 'seven')
      assert.deepEqual(detail.scope, { name: 't', version: '3' })
    })
  }

  it('arrives right as metrics, in both encodings', async (t) => {
    class Reader extends MetricReader {
      protected override async onShutdown(): Promise<void> {}
      protected override async onForceFlush(): Promise<void> {}
    }
    const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })
    const provider = new MeterProvider({
      resource: resourceFromAttributes({ 'service.name': 'sdk' }),
      readers: [reader],
    })
    const meter = provider.getMeter('m')
    const counter = meter.createCounter('requests', { unit: '{request}', description: 'All of them' })
    const latency = meter.createHistogram('latency', { unit: 'ms' })
    meter.createObservableGauge('heap').addCallback((result) => result.observe(5, { space: 'old' }))
    const target = await viewer(t)
    for (const [i, serializer] of [ProtobufMetricsSerializer, JsonMetricsSerializer].entries()) {
      counter.add(10)
      for (const value of i === 0 ? [1, 2, 3] : [90, 90, 90]) latency.record(value)
      const { resourceMetrics } = await reader.collect()
      const type = i === 0 ? 'application/x-protobuf' : 'application/json'
      const answer = await post(
        target,
        serializer.serializeRequest(resourceMetrics)!,
        { 'content-type': type },
        'metrics',
      )
      assert.equal(answer.status, 200, answer.body.toString())
    }
    await provider.shutdown()
    const rows = await api<MetricRow[]>(target, 'metrics')
    assert.deepEqual(
      rows.map(({ name, kind, series, services }) => [name, kind, series, services]),
      [
        ['heap', 'gauge', 1, ['sdk']],
        ['latency', 'histogram', 1, ['sdk']],
        ['requests', 'sum', 1, ['sdk']],
      ],
    )
    const heap = await api<MetricSeries>(target, 'metrics/heap')
    assert.deepEqual(heap.lines, [{ label: 'space=old', values: [5, 5] }])
    const requests = await api<MetricSeries>(target, 'metrics/requests')
    assert.equal(requests.unit, '{request}/s')
    const seconds = (requests.times[1]! - requests.times[0]!) / 1000
    assert.equal(requests.lines[0]!.values[0], null)
    assert.ok(Math.abs(requests.lines[0]!.values[1]! * seconds - 10) < 1e-6)
    // The second point of a cumulative histogram is about what came since the first.
    const lines = new Map(
      (await api<MetricSeries>(target, 'metrics/latency')).lines.map(({ label, values }) => [label, values]),
    )
    assert.deepEqual(lines.get('mean'), [2, 90])
    assert.ok(lines.get('p50')![1]! > 75 && lines.get('p50')![1]! <= 100)
    assert.deepEqual(
      await api<MetricSeries>(target, 'metrics/heap?service=other').then(({ lines }) => lines),
      [],
    )
  })

  it('is what this package exports, its own accounts among it', async (t) => {
    const target = await viewer(t)
    const { stderr } = await runProgram(fixture('deaths/program.cjs'), {
      node: ['--require', PRELOAD],
      args: ['work-slowly', 'natural', '40'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: target.endpoint,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '500',
        OTEL_SERVICE_NAME: 'measured',
      },
    })
    assert.equal(stderr, '')
    const rows = await api<MetricRow[]>(target, 'metrics')
    const kinds = new Map(rows.map(({ name, kind }) => [name, kind]))
    assert.equal(kinds.get('nodejs.eventloop.utilization'), 'gauge')
    assert.equal(kinds.get('process.cpu.time'), 'sum')
    assert.equal(kinds.get('v8js.gc.duration') ?? 'histogram', 'histogram')
    assert.deepEqual(
      rows
        .filter(({ name }) => name.startsWith('otel.'))
        .map(({ name, kind, series, services }) => [name, kind, series, services]),
      [
        ['otel.sdk.exporter.span.exported', 'sum', 1, ['measured']],
        ['otel.sdk.exporter.span.inflight', 'sum', 1, ['measured']],
        ['otel.sdk.processor.span.processed', 'sum', 1, ['measured']],
        ['otel.sdk.processor.span.queue.size', 'sum', 1, ['measured']],
      ],
    )
    const exported = await api<MetricSeries>(target, 'metrics/otel.sdk.exporter.span.exported')
    assert.equal(exported.unit, '{span}/s')
    assert.ok(exported.times.length > 1)
  })

  it('is never drawn beyond what was measured, however wide the buckets are', async (t) => {
    class Reader extends MetricReader {
      protected override async onShutdown(): Promise<void> {}
      protected override async onForceFlush(): Promise<void> {}
    }
    const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA })
    const provider = new MeterProvider({ readers: [reader] })
    // The SDK's own boundaries are for milliseconds: all of this lies between 0 and 5.
    const latency = provider.getMeter('m').createHistogram('latency', { unit: 's' })
    for (let i = 0; i < 100; i++) latency.record(0.01 + i * 0.0001)
    const { resourceMetrics } = await reader.collect()
    const target = await viewer(t)
    await post(target, ProtobufMetricsSerializer.serializeRequest(resourceMetrics)!, {}, 'metrics')
    await provider.shutdown()
    const { lines } = await api<MetricSeries>(target, 'metrics/latency')
    assert.deepEqual(
      lines.map(({ label }) => label),
      ['mean', 'p50', 'p95', 'p99'],
    )
    for (const { label, values } of lines) {
      assert.ok(values[0]! >= 0.01 && values[0]! <= 0.0199 + 1e-9, `${label} ${values[0]}`)
    }
  })
})
