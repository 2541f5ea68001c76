import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Piscina } from 'piscina'
import { currentSignal, start, tracePool, withDeadline, withSignal } from 'threadspan'

start()
const filename = new URL('./deadlines-worker.mjs', import.meta.url).href
const pool = tracePool(new Piscina({ filename, maxThreads: 1 }))
const rows = 1e12

{
  // #region wrong
  const signal = AbortSignal.timeout(500)
  const sum = pool.run({ rows: 1000 }, { signal }) // ends the wait and the thread; what runs in there sees nothing of it
  // #endregion
  await sum
}

// #region right
const sum = await withDeadline(500, () => pool.run({ rows })) // what there is after half a second
// #endregion
assert.equal(sum.complete, false)

const server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
const reports = []

// #region signal
async function answer(_request, response) {
  const gone = new AbortController()
  response.on('close', () => gone.abort()) // the client has left, or has its answer
  const report = await withSignal(gone.signal, () => withDeadline(30_000, () => pool.run({ rows })))
  response.end(JSON.stringify(report))
  reports.push(report)
}
// #endregion

const client = new AbortController()
const asked = fetch(`http://127.0.0.1:${server.address().port}`, { signal: client.signal }).catch(() => {})
await once(server, 'request')
client.abort()
await asked
while (reports.length === 0) await new Promise((done) => setTimeout(done, 5))
assert.equal(reports[0].complete, false)

const silent = createServer(() => {}).listen(0, '127.0.0.1')
await once(silent, 'listening')
const url = `http://127.0.0.1:${silent.address().port}`
// #region calls
await withDeadline(50, async () => {
  const failure = await fetch(url).catch((error) => error) // no signal to hand over
  assert.equal(failure.name, 'TimeoutError')
  assert.equal(currentSignal().reason, failure)
})
// #endregion
for (const one of [server, silent]) {
  one.closeAllConnections()
  one.close()
}
await pool.destroy()
