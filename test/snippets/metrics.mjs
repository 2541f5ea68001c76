import assert from 'node:assert/strict'
import { metrics } from '@opentelemetry/api'
import { start } from 'threadspan'

start()

// #region instruments
const meter = metrics.getMeter('shop')
const orders = meter.createCounter('orders', { unit: '{order}' })
const duration = meter.createHistogram('order.duration', {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.05, 0.1, 0.5, 1, 5] },
})

function placed(route, seconds) {
  orders.add(1, { route })
  duration.record(seconds, { route })
}
// #endregion

// #region asked
meter.createObservableGauge('carts.open').addCallback((result) => {
  result.observe(carts.size)
})
// #endregion

const carts = new Map()
placed('/orders', 0.2)
assert.equal(carts.size, 0)
