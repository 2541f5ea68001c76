import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReceivedSpan } from '../support/receiver.js'
import { attributesOf, below, KIND, only, runQueue } from './support.js'

const isClient = ({ kind }: ReceivedSpan) => kind === KIND.client
const isServer = ({ kind }: ReceivedSpan) => kind === KIND.server

describe('calls of gRPC', () => {
  function run(form: string, env?: Record<string, string>) {
    const programs = [['@grpc/grpc-js', form]]
    return runQueue({ scenario: 'grpc', programs, port: 0, ...(env !== undefined && { env }) })
  }

  for (const form of ['require', 'import']) {
    it(`are spans of who made them, and transactions where they are handled, once each: by ${form}`, async () => {
      const spans = await run(form)
      /** Of a request's call: both spans, and what was seen in the handler. */
      const call = (request: string, inside: string) => {
        const [client, ...others] = below(spans, only(spans, request), isClient)
        assert.deepEqual(others, [])
        const [server, ...more] = below(spans, client!)
        assert.deepEqual(more, [])
        assert.equal(server!.kind, KIND.server)
        assert.equal(server!.name, client!.name)
        const seen = below(spans, server!, (span) => span.name === inside)
        for (const { attributes } of seen) assert.equal(attributes['plan'], 'gold', 'baggage comes along')
        return { client: client!, server: server!, seen: seen.length }
      }
      const told = ({ client, server }: ReturnType<typeof call>) =>
        [client, server].map(({ attributes, status, events }) => [
          attributes['rpc.status_code'],
          attributes['error.type'],
          status.code,
          events.map(({ attributes: error }) => `${error['exception.type']}: ${error['exception.message']}`),
        ])

      const one = call('one', 'in one')
      assert.equal(one.seen, 1)
      const common = {
        'rpc.system.name': 'grpc',
        'rpc.method': 'shop.Orders/One',
        'rpc.status_code': 'OK',
        'server.address': 'localhost',
      }
      const port = one.client.attributes['server.port']
      assert.ok(Number(port) > 0)
      assert.equal(one.client.name, 'shop.Orders/One')
      assert.deepEqual(attributesOf(one.client), { ...common, 'server.port': port })
      const { 'network.peer.port': peer, ...server } = attributesOf(one.server)
      assert.ok(Number(peer) > 0)
      assert.deepEqual(server, { ...common, 'server.port': port, 'network.peer.address': '127.0.0.1' })

      assert.deepEqual(told(call('fail', '')), [
        ['UNKNOWN', 'UNKNOWN', 2, []],
        ['UNKNOWN', 'UNKNOWN', 2, ['RangeError: Broken']],
      ])
      assert.deepEqual(told(call('torn', '')), [
        ['UNKNOWN', 'UNKNOWN', 2, []],
        ['UNKNOWN', 'UNKNOWN', 2, ['RangeError: Torn']],
      ])
      // The caller's mistake is none of the server's.
      assert.deepEqual(told(call('refuse', '')), [
        ['NOT_FOUND', 'NOT_FOUND', 2, []],
        ['NOT_FOUND', undefined, 0, []],
      ])
      const slow = call('slow', 'in slow')
      assert.equal(slow.seen, 1)
      assert.equal(slow.client.attributes['rpc.status_code'], 'DEADLINE_EXCEEDED')
      assert.match(String(slow.server.attributes['rpc.status_code']), /^(?:DEADLINE_EXCEEDED|CANCELLED)$/)

      assert.equal(call('collect', 'in collect').seen, 2)
      assert.equal(call('list', 'in list').seen, 1)
      for (const [request, heard] of [
        ['list', 2],
        ['talk', 1],
      ] as const) {
        assert.deepEqual(told(call(request, '')), [
          ['OK', undefined, 0, []],
          ['OK', undefined, 0, []],
        ])
        assert.equal(below(spans, only(spans, request), (span) => span.name === 'heard').length, heard)
      }
      for (const request of ['one', 'fail', 'refuse', 'slow', 'collect'])
        assert.equal(
          below(spans, only(spans, request), (span) => span.name === 'answered').length,
          1,
          request,
        )

      // A call is HTTP/2 as well, and is told of once.
      assert.deepEqual(
        spans.filter((span) => 'http.request.method' in span.attributes),
        [],
      )
    })
  }

  it('are requests of HTTP/2 where grpc is left out', async () => {
    const spans = await run('require', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'grpc' })
    const remote = spans.filter((span) => isClient(span) || isServer(span))
    assert.equal(remote.length, 16)
    for (const { attributes } of remote) assert.equal(attributes['http.request.method'], 'POST')
  })
})
