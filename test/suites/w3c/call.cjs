// Makes one call: as a function, as a task of a pool, and as a program.
const http = require('node:http')

const headers = { 'content-type': 'application/json' }

const clients = {
  http: ({ url, body }) =>
    new Promise((resolve, reject) => {
      const request = http.request(url, { method: 'POST', headers }, (response) => {
        response.resume()
        response.on('end', resolve)
      })
      request.on('error', reject)
      request.end(body)
    }),
  async fetch({ url, body }) {
    const response = await fetch(url, { method: 'POST', headers, body })
    await response.arrayBuffer()
  },
}

/** @param told `{ url, body, client }`. */
exports.call = async (told) => {
  await clients[told.client](told)
}

if (require.main === module) void exports.call(JSON.parse(process.argv[2]))
