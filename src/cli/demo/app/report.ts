import { trace } from '@opentelemetry/api'

/**
 * A script of its own, which the service forks: makes a small report out of its arguments and prints it as JSON.
 */
const tracer = trace.getTracer('report')
const numbers = process.argv.slice(2).map(Number)

const report = tracer.startActiveSpan('make report', (span) => {
  const total = tracer.startActiveSpan('add up', (inner) => {
    const sum = numbers.reduce((a, b) => a + b, 0)
    inner.end()
    return sum
  })
  span.setAttribute('report.items', numbers.length)
  span.end()
  return { items: numbers.length, total }
})
process.send?.(report)
