// The code of docs/sdk.md for Sentry; test/suites/sdk.js runs it with Sentry's own packages.
import assert from 'node:assert/strict'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { handSpansTo } from 'threadspan'

const events = []
const Sentry = { init() {}, captureEvent: (event) => events.push(event) }
const dsn = undefined

// #region init
Sentry.init({ dsn, tracesSampleRate: 1, openTelemetryBasicTracerProvider: true })
// #endregion

// #region events
const seconds = ([whole, nanos]) => whole + nanos / 1e9

const processor = handSpansTo({
  onEnd(span) {
    const { traceId, spanId } = span.spanContext()
    Sentry.captureEvent({
      type: 'transaction',
      transaction: span.name,
      start_timestamp: seconds(span.startTime),
      timestamp: seconds(span.endTime),
      spans: [],
      contexts: {
        trace: {
          trace_id: traceId,
          span_id: spanId,
          parent_span_id: span.parentSpanContext?.spanId,
          data: span.attributes,
          status: span.status.code === 2 ? 'internal_error' : 'ok',
        },
      },
    })
  },
})
// #endregion

const span = new BasicTracerProvider().getTracer('app').startSpan('work')
span.end()
processor.onEnd(span)
assert.equal(events.length, 1)
assert.equal(events[0].contexts.trace.span_id, span.spanContext().spanId)
assert.ok(events[0].timestamp >= events[0].start_timestamp)
