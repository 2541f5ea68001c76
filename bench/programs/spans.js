// Spans as an application makes them: active, with three attributes, a callback inside. As many at a time as a request makes
// of them, so that whoever exports on this thread gets to run.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { threadTime } from './processor-time.js'
import { serve } from './serve.js'
import { flush } from './tracing.js'

const tracer = trace.getTracer('bench')
/** The SDK exports as soon as so many are waiting, and has room for four times as many: what comes on top is lost without a word. */
const BATCH = 512
const ROOM = 4 * BATCH

function makeSpan(i) {
  tracer.startActiveSpan('GET /user/:id', (span) => {
    span.setAttribute('http.request.method', 'GET')
    span.setAttribute('url.path', '/user/1234567')
    span.setAttribute('http.response.status_code', 200 + (i & 3))
    span.end()
  })
}

serve({
  async block(count) {
    const used = threadTime()
    const start = performance.now()
    let making = 0
    for (let made = 0; made < count; ) {
      const before = performance.now()
      for (const end = Math.min(count, made + BATCH); made < end; made++) makeSpan(made)
      making += performance.now() - before
      if (process.argv[2] === 'sdk' && made % ROOM === 0) await flush()
      else await nextTurn()
    }
    await flush()
    return {
      /** Microseconds of this thread's processor time for each span. */
      cost: (threadTime() - used) / count,
      /** Microseconds until `end()` returned. */
      making: (making * 1e3) / count,
      /** Spans for each second, until the last one was delivered. */
      rate: (count / (performance.now() - start)) * 1e3,
    }
  },
})
