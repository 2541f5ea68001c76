// Starts short-lived children, one after the other, inside a span.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { trace } from '@opentelemetry/api'
import { serve } from './serve.js'

const tracer = trace.getTracer('bench')
const script = fileURLToPath(new URL('script.js', import.meta.url))

serve({
  /** Milliseconds from a child's start until it is known to be gone. */
  block: (node) =>
    tracer.startActiveSpan('block', async (span) => {
      const start = performance.now()
      const [code] = await once(spawn(process.execPath, [...node, script, '3'], { stdio: 'ignore' }), 'exit')
      const time = performance.now() - start
      span.end()
      if (code !== 0) throw new Error(`the child ended with ${code}`)
      return time
    }),
})
