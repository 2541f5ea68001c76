// The code of docs/sdk.md, with OpenTelemetry's SDK 2.
import assert from 'node:assert/strict'
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from '@opentelemetry/sdk-trace-base'

const exporter = new InMemorySpanExporter()

// #region setup
import { trace } from '@opentelemetry/api'
import { handSpansTo, start } from 'threadspan'

const provider = new BasicTracerProvider({
  spanProcessors: [handSpansTo(new BatchSpanProcessor(exporter))],
})
trace.setGlobalTracerProvider(provider)
start()
// #endregion

trace.getTracer('app').startSpan('of the main thread').end()
await provider.forceFlush()
assert.deepEqual(
  exporter.getFinishedSpans().map(({ name }) => name),
  ['of the main thread'],
)
