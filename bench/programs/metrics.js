// A value that is measured, with two attributes that each call makes anew, as applications write it.
import { metrics } from '@opentelemetry/api'
import { serve } from './serve.js'

const [kind] = process.argv.slice(2)
const ROUTES = ['/users/:id', '/orders', '/orders/:id', '/health']
const METHODS = ['GET', 'POST']

async function meters() {
  if (kind === 'prom-client') {
    const { Counter, Gauge, Histogram } = await import('prom-client')
    const labelNames = ['route', 'method']
    const options = (name) => ({ name, help: name, labelNames })
    const counter = new Counter(options('requests'))
    const gauge = new Gauge(options('waiting'))
    const histogram = new Histogram(options('duration'))
    return {
      add: (attributes) => counter.inc(attributes, 1),
      set: (attributes, value) => gauge.set(attributes, value),
      record: (attributes, value) => histogram.observe(attributes, value),
    }
  }
  if (kind === 'sdk') {
    const { MeterProvider, MetricReader } = await import('@opentelemetry/sdk-metrics')
    class Reader extends MetricReader {
      async onShutdown() {}
      async onForceFlush() {}
    }
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new Reader()] }))
  }
  const meter = metrics.getMeter('bench')
  const counter = meter.createCounter('requests')
  const gauge = meter.createGauge('waiting')
  const histogram = meter.createHistogram('duration')
  return {
    add: (attributes) => counter.add(1, attributes),
    set: (attributes, value) => gauge.record(value, attributes),
    record: (attributes, value) => histogram.record(value, attributes),
  }
}

const seen = { length: 0 }
const empty = {
  add: (attributes) => {
    seen.length += attributes.route.length
  },
}
empty.set = empty.add
empty.record = empty.add

const all = kind === 'empty' ? empty : await meters()

serve({
  /** Nanoseconds for each call. */
  block({ call, count }) {
    const measure = all[call]
    const start = process.hrtime.bigint()
    for (let i = 0; i < count; i++) measure({ route: ROUTES[i & 3], method: METHODS[(i >> 2) & 1] }, i & 1023)
    return Number(process.hrtime.bigint() - start) / count
  },
})
