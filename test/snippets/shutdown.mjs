import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'

const server = createServer((_request, response) => setTimeout(() => response.end('done'), 100))
server.listen(0, '127.0.0.1')
await once(server, 'listening')

// #region shutdown
process.once('SIGTERM', () => {
  server.close(() => process.exit(0)) // requests that are under way end first
  server.closeIdleConnections()
})
// #endregion

const answer = fetch(`http://127.0.0.1:${server.address().port}`, { headers: { connection: 'close' } })
await once(server, 'request')
process.kill(process.pid, 'SIGTERM')
assert.equal(await (await answer).text(), 'done')
