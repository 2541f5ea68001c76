import { context, propagation, type Tracer, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

import { ThreadContextManager } from '#dist/context/manager.js'

trace.setGlobalTracerProvider(provider)
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
context.setGlobalContextManager(new ThreadContextManager())

/** A tracer of OpenTelemetry's SDK, whose spans come to {@link spans}. */
export const tracer: Tracer = trace.getTracer('test')

export function spans(): ReadableSpan[] {
  return exporter.getFinishedSpans()
}

export function forget(): void {
  exporter.reset()
}

/** Waits until `count` spans have ended; fails the test when that does not happen. */
export async function ended(count: number): Promise<ReadableSpan[]> {
  for (let i = 0; spans().length < count; i++) {
    if (i === 1000) throw new Error(`${spans().length} of ${count} spans: ${spans().map(({ name }) => name)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return spans()
}

export function byName(name: string): ReadableSpan {
  const found = spans().filter((span) => span.name === name)
  if (found.length !== 1)
    throw new Error(`${found.length} spans ${name} in ${spans().map((span) => span.name)}`)
  return found[0]!
}
