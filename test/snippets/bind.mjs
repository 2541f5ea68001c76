import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { bind, propagate, start, unwrap } from 'threadspan'

start()
const request = new AsyncLocalStorage()
propagate(request, { name: 'request' })
const seen = []
const onReady = () => seen.push(request.getStore())
const onData = () => seen.push(request.getStore())
const emitter = new EventEmitter()
const controller = new AbortController()
const { signal } = controller

request.run('this request', () => {
  // #region wrong
  emitter.on('ready', onReady) // runs in the context of whoever emits
  // #endregion
})
emitter.emit('ready')
assert.deepEqual(seen.splice(0), [undefined])
emitter.off('ready', onReady)

const stream = new PassThrough()
await request.run('this request', async () => {
  // #region right
  emitter.on('ready', bind(onReady)) // runs in what is current here

  bind(stream).on('data', onData) // every listener that is added from here on
  bind(signal).addEventListener('abort', onData)

  async function* rows() {
    yield request.getStore()
  }
  const bound = bind(rows()) // its steps run in what is current here, wherever the loop is
  // #endregion
  for await (const row of request.run('the loop', () => bound)) assert.equal(row, 'this request')
})
emitter.emit('ready')
controller.abort()
stream.end('x')
await new Promise((resolve) => setImmediate(resolve))
assert.deepEqual(seen.splice(0), Array(3).fill('this request'))

// #region unwrap
emitter.off('ready', bind(onReady)) // the same function only where the same is current
const listener = bind(onReady) // so keep it,
emitter.on('ready', listener)
emitter.off('ready', listener) // or bind the emitter, which finds the original

unwrap(listener) === onReady
unwrap(stream) // listeners that are added from here on are not bound
// #endregion
assert.equal(unwrap(listener), onReady)
process.exit()
