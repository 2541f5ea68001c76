import assert from 'node:assert/strict'
import pino from 'pino'
import {
  Counter,
  flush,
  Gauge,
  Histogram,
  InMemorySurfacer,
  LogSurfacer,
  start,
  withTransaction,
} from 'threadspan'

const lines = []
const output = { write: (line) => lines.push(JSON.parse(line)) }

// #region named
const orders = new Counter('orders') // here, in a Worker, in a child process: the same counter
const stock = new Gauge('stock')
const sizes = new Histogram('order.size', { unit: '{item}' })

function placed(order) {
  orders.add(1, { country: order.country })
  sizes.record(order.items)
  stock.set(order.left)
}
// #endregion

// #region log
start({ surfacers: [new LogSurfacer({ logger: pino(output), level: 'debug' })] })
// #endregion

// #region own
class SlowestSurfacer {
  #values = new Map()

  clear({ id }) {
    this.#values.set(id, [])
  }
  record({ name, value, transaction }) {
    if (name === 'query.time') this.#values.get(transaction?.id)?.push(value)
  }
  flush({ id, name }) {
    console.log(`${name}: slowest query ${Math.max(...this.#values.get(id))} ms`)
    this.#values.delete(id)
  }
}
// #endregion

// #region rss
const growth = new Histogram('rss.growth', { unit: 'By' })

function measureGrowth(_request, response, next) {
  const before = process.memoryUsage.rss()
  response.on('finish', () => growth.record(Math.max(0, process.memoryUsage.rss() - before)))
  next()
}
// #endregion

// #region test
const memory = new InMemorySurfacer()
start({ surfacers: [memory] })
await withTransaction('order', () => placed({ country: 'PT', items: 3, left: 9 }))
await flush()
const [{ transaction, measurements }] = memory.flushed
assert.equal(transaction.name, 'order')
assert.deepEqual(
  measurements.map(({ name, value }) => [name, value]),
  [
    ['orders', 1],
    ['order.size', 3],
    ['stock', 9],
  ],
)
// #endregion

start({ surfacers: [new SlowestSurfacer()] })
withTransaction('page', () => new Histogram('query.time').record(3))
withTransaction('request', () => measureGrowth({}, { on: (_event, finished) => finished() }, () => {}))
await flush()
assert.ok(memory.flushed.length > 2)
