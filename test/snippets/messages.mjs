import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { capture, propagate, start, traceWorker, withTransaction, wrapHandler } from 'threadspan'

start()
const request = new AsyncLocalStorage()
propagate(request, { name: 'request' })
const file = new URL('./messages-worker.mjs', import.meta.url)
const handled = []

request.run('the request that made the worker', () => {
  // #region wrong
  const worker = new Worker(file)
  worker.on('message', () => {
    handled.push(request.getStore()) // what was current when the worker was made, for every answer
  })
  worker.postMessage({ id: 1, text: 'one two' }) // nothing says whose work it is
  // #endregion
  once(worker, 'message').then(() => worker.terminate())
})

// #region right
const worker = traceWorker(new Worker(file))
worker.on('message', ({ answer }) => {
  handled.push([answer, request.getStore()]) // what was current where the question was asked
})
request.run('a', () => withTransaction('count', () => worker.postMessage({ id: 2, text: 'one two' })))
// #endregion
await once(worker, 'message')
await worker.terminate()
assert.deepEqual(handled.find(Array.isArray), [2, 'a'])

const sent = []
const channel = { sendToQueue: (_, body) => sent.push(body) }
const resize = () => handled.push(request.getStore())
// #region protocol
// A protocol of your own: put the carrier wherever it has room, and say where.
request.run('b', () =>
  channel.sendToQueue('jobs', JSON.stringify({ job: 7, context: capture().toCarrier() })),
)

const consume = wrapHandler((message) => resize(message.job), {
  carrier: (message) => message.context,
  remote: true, // it comes from another service
  span: 'process job',
})
// #endregion
consume(JSON.parse(sent[0]))
assert.equal(handled.at(-1), 'b')
