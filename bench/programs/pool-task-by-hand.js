// The same tasks with OpenTelemetry written by hand: the SDK in the main thread and in the worker, a span on either side,
// inject and extract between them.
import { context, propagation, trace } from '@opentelemetry/api'
import { Piscina } from 'piscina'
import { processorTime } from './processor-time.js'
import { serve } from './serve.js'
import { flush } from './tracing.js'

const pool = new Piscina({
  filename: new URL('noop-by-hand.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  atomics: process.env.BENCH_ATOMICS ?? 'sync',
})
const tracer = trace.getTracer('bench')

const run = (task) =>
  tracer.startActiveSpan('task noop', async (span) => {
    const carrier = {}
    propagation.inject(context.active(), carrier)
    try {
      return await pool.run({ carrier, task })
    } finally {
      span.end()
    }
  })

serve({
  block: (count) =>
    processorTime(count, flush, () =>
      tracer.startActiveSpan('block', async (span) => {
        for (let i = 0; i < count; i++) await run(undefined)
        span.end()
      }),
    ),
})
