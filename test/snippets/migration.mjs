import assert from 'node:assert/strict'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { capture, Snapshot, start, withSpan, withTransaction, wrapHandler } from 'threadspan'

start()
const tracer = trace.getTracer('app')
const received = []
const port = { postMessage: (message) => received.push(message) }
const work = () => trace.getActiveSpan().spanContext().traceId

function before(job) {
  // #region inject
  const headers = {}
  propagation.inject(context.active(), headers)
  port.postMessage({ job, headers })
  // #endregion
}

function beforeWorker(message) {
  // #region extract
  const parent = propagation.extract(ROOT_CONTEXT, message.headers)
  return context.with(parent, () =>
    tracer.startActiveSpan('work', (span) => {
      try {
        return work(message.job)
      } catch (error) {
        span.recordException(error)
        throw error
      } finally {
        span.end()
      }
    }),
  )
  // #endregion
}

function after(job) {
  // #region carrier
  port.postMessage({ job, carrier: capture().toCarrier() })
  // #endregion
}

// #region handler
const handle = wrapHandler((message) => withSpan('work', () => work(message.job)), {
  carrier: (message) => message.carrier,
})
// #endregion

withTransaction('migrate', ({ traceId }) => {
  before(1)
  assert.equal(beforeWorker(received.pop()), traceId)
  after(2)
  assert.equal(handle(received.pop()), traceId)
})

// #region mixed
// A sender that still injects headers, and a receiver that has moved: W3C headers are a carrier.
const accept = wrapHandler((message) => work(message.job), { carrier: (message) => message.headers })
// #endregion
withTransaction('mixed', ({ traceId }) => {
  before(3)
  assert.equal(accept(received.pop()), traceId)
})
assert.ok(Snapshot.from({}))
process.exit()
