import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { capture, propagate, Snapshot, start, withSpan } from 'threadspan'

start()
const request = new AsyncLocalStorage()
propagate(request, { name: 'request' })
const done = []
const work = () => done.push(request.getStore())

// #region wrong
const queue = []
function enqueue(job) {
  queue.push(job)
}
setInterval(() => queue.shift()?.(), 10).unref() // runs in the context of this line, for every request
// #endregion

// #region right
const jobs = []
function submit(job) {
  jobs.push(capture().wrap(job)) // what is current where the job was submitted
}
setInterval(() => jobs.shift()?.(), 10).unref()
// #endregion

request.run('first', () => enqueue(work))
request.run('second', () => submit(work))
await new Promise((resolve) => setTimeout(resolve, 100))
assert.deepEqual(done.sort(), ['second', undefined])

// #region carrier
const carrier = withSpan('submit', () => capture().toCarrier())
const text = JSON.stringify(carrier) // { "traceparent": "00-…", "transaction": … }

const snapshot = Snapshot.from(JSON.parse(text), { remote: false })
snapshot.run(() => withSpan('process', work)) // its parent is 'submit'
// #endregion
assert.match(carrier.traceparent, /^00-/)

// #region with
const other = capture().with(request, 'someone else')
other.run(work)
// #endregion
assert.equal(done.at(-1), 'someone else')
process.exit()
