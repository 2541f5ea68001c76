// The event loop's delay while spans are made at a steady rate, or none are.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { serve } from './serve.js'
import { flush } from './tracing.js'

const tracer = trace.getTracer('bench')

function makeSpan(i) {
  tracer.startActiveSpan('GET /user/:id', (span) => {
    span.setAttribute('http.request.method', 'GET')
    span.setAttribute('url.path', '/user/1234567')
    span.setAttribute('http.response.status_code', 200 + (i & 3))
    span.end()
  })
}

serve({
  /** 99th percentile in milliseconds, and the spans that were made. */
  async block({ milliseconds, rate }) {
    const histogram = monitorEventLoopDelay({ resolution: 1 })
    const start = performance.now()
    let made = 0
    histogram.enable()
    for (;;) {
      const passed = performance.now() - start
      if (passed >= milliseconds) break
      for (const due = (Math.min(passed, milliseconds) / 1e3) * rate; made < due; made++) makeSpan(made)
      await pause(1)
    }
    histogram.disable()
    await flush()
    return { p99: histogram.percentile(99) / 1e6, made }
  },
})
