// A small script: as many spans as its argument says, then it ends.
import { trace } from '@opentelemetry/api'

const tracer = trace.getTracer('bench')
for (let i = 0; i < Number(process.argv[2]); i++) {
  tracer.startActiveSpan('step', (span) => {
    span.setAttribute('step', i)
    span.end()
  })
}
