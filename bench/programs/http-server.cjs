// A bare server that says how much processor time its process has used. CommonJS, which every variant follows without a loader.
const { createServer } = require('node:http')

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end('here')
})
process.once('disconnect', () => {
  server.close()
  server.closeAllConnections()
})
server.listen(0, '127.0.0.1', async () => {
  const { serve } = await import('./serve.js')
  serve({
    port: () => server.address().port,
    /** Microseconds of all threads' processor time until now. */
    used() {
      const { user, system } = process.cpuUsage()
      return user + system
    },
  })
})
