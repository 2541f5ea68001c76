import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { byRequest, REQUESTS, runClient } from './support.js'

const major = Number(process.versions.node.split('.')[0])

/** The client makes its spans itself, by OpenTelemetry's API. There is no server of it to be had: this one answers as it does. */
const CLIENTS = [
  { name: '@elastic/elasticsearch', since: 22 },
  { name: 'elasticsearch-8', since: 20 },
]

describe("requests of Elasticsearch's client", () => {
  const server = createServer((request, response) => {
    const isMissing = request.url!.includes('404')
    request.resume()
    response.writeHead(isMissing ? 404 : 200, {
      'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
      'x-elastic-product': 'Elasticsearch',
    })
    response.end(JSON.stringify(isMissing ? { found: false } : { hits: { hits: [] } }))
  })
  let port: number
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as { port: number }).port
  })
  after(() => void server.close())

  for (const { name, since } of CLIENTS) {
    for (const form of ['require', 'import'] as const) {
      it(`are one span each, with the HTTP request below: ${name} by ${form}`, {
        skip: major < since,
      }, async () => {
        const spans = await runClient({ scenario: 'elasticsearch', name, form, port })
        const requests = byRequest(spans)
        assert.equal(requests.length, REQUESTS)
        for (const made of requests) {
          assert.deepEqual(
            made.map(({ name, kind }) => [name, kind]),
            [
              ['search', 3],
              ['get', 3],
            ],
          )
          for (const { spanId, attributes } of made) {
            assert.equal(attributes['db.system'] ?? attributes['db.system.name'], 'elasticsearch')
            const below = spans.filter(({ parentSpanId }) => parentSpanId === spanId)
            assert.equal(below.length, 1)
            assert.ok(below[0]!.attributes['http.request.method'] !== undefined)
          }
        }
      })
    }
  }
})
