// An OTLP/HTTP receiver that only counts: it walks the fields of the protobuf message down to the spans and decodes none.
import { createServer } from 'node:http'
import { serve } from './programs/serve.js'

/** Spans by the first part of the path that they were sent to. */
const spans = {}

/** Calls `found(start, end)` for each length-delimited field of the given number. */
function fields(bytes, from, to, number, found) {
  let p = from
  const varint = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[p++]
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (p < to) {
    const tag = varint()
    switch (tag & 7) {
      case 0:
        varint()
        break
      case 1:
        p += 8
        break
      case 2: {
        const length = varint()
        const start = p
        if (tag >>> 3 === number) found(start, start + length)
        p = start + length
        break
      }
      default:
        p += 4
    }
  }
}

function countOf(bytes) {
  let count = 0
  fields(bytes, 0, bytes.length, 1, (a, b) =>
    fields(bytes, a, b, 2, (c, d) =>
      fields(bytes, c, d, 2, () => {
        count++
      }),
    ),
  )
  return count
}

const server = createServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const [, sender, ...signal] = request.url.split('/')
    if (signal.join('/') === 'v1/traces') spans[sender] = (spans[sender] ?? 0) + countOf(Buffer.concat(parts))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
})
server.keepAliveTimeout = 60_000

await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
process.once('disconnect', () => {
  server.close()
  server.closeAllConnections()
})

serve({
  endpoint: () => `http://127.0.0.1:${server.address().port}`,
  spans: () => spans,
})
