import { type Context, context, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

/** Finished spans of OpenTelemetry's own SDK with everything in them that OTLP can carry. */
export function sdkSpans() {
  const memory = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'orders', 'process.pid': 4242, 'host.name': 'h1' }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  })
  const tracer = provider.getTracer('tests', '1.2.3')
  const remote: Context = trace.setSpanContext(context.active(), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
  const root = tracer.startSpan(
    'GET /orders/Ünï😀',
    {
      kind: SpanKind.SERVER,
      attributes: {
        text: 'a',
        whole: 7,
        negative: -5,
        fraction: 1.5,
        yes: true,
        list: ['x', 'y'],
        large: 2 ** 52,
      },
    },
    remote,
  )
  root.addEvent('cache miss', { key: 'k' })
  root.recordException(new TypeError('no such order'))
  root.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' })
  const child = tracer.startSpan('task', {
    links: [{ context: root.spanContext(), attributes: { why: 'batch' } }],
  })
  child.end()
  root.end()
  return memory.getFinishedSpans()
}
