import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import noop from './noop.cjs'
import './sdk.js'

const tracer = trace.getTracer('bench')

export default ({ carrier, task }) =>
  context.with(propagation.extract(ROOT_CONTEXT, carrier), () =>
    tracer.startActiveSpan('run noop', (span) => {
      try {
        return noop(task)
      } finally {
        span.end()
      }
    }),
  )
