import http from 'node:http'

/** The other service that the demo's calls: answers by the path, a little late, as networks do. */
const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const status = pathname === '/missing' ? 404 : pathname === '/broken' ? 503 : 200
  request.resume()
  setTimeout(() => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ pathname, status }))
  }, 3)
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})

process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
