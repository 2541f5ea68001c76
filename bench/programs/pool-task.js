// Blocks of no-op Piscina tasks, one after the other, inside a span. It knows of no SDK: bare, or with the preload.
import { trace } from '@opentelemetry/api'
import { Piscina } from 'piscina'
import { processorTime } from './processor-time.js'
import { serve } from './serve.js'
import { flush } from './tracing.js'

const pool = new Piscina({
  filename: new URL('noop.cjs', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
})
const tracer = trace.getTracer('bench')

serve({
  block: (count) =>
    processorTime(count, flush, () =>
      tracer.startActiveSpan('block', async (span) => {
        for (let i = 0; i < count; i++) await pool.run(undefined)
        span.end()
      }),
    ),
})
