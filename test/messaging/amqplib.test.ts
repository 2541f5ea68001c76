import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noRabbitmq, startRabbitmq } from '../support/databases.js'
import type { ReceivedSpan } from '../support/receiver.js'
import { attributesOf, below, KIND, only, runQueue } from './support.js'

const isConsumer = ({ kind }: ReceivedSpan) => kind === KIND.consumer
const startsWith = (start: string) => (span: ReceivedSpan) => span.name.startsWith(start)

describe('messages of RabbitMQ', { skip: noRabbitmq }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startRabbitmq()
  })
  after(() => server?.stop())

  /** Publishes in one process, handles in another. */
  function run(name: string, form: string, env?: Record<string, string>) {
    const programs = ['publish', 'consume'].map((role) => [name, form, role])
    return runQueue({ scenario: 'amqplib', programs, port: server.port, ...(env !== undefined && { env }) })
  }

  const RUNS = [
    ['amqplib', 'require'],
    ['amqplib', 'import'],
    ['amqplib-1', 'require'],
    ['amqplib-0.10', 'import'],
  ] as const
  for (const [name, form] of RUNS) {
    it(`are transactions below the span that published them: ${name} by ${form}`, async () => {
      const spans = await run(name, form)
      const publishing = (request: string) => {
        const [span, ...others] = below(spans, only(spans, request), startsWith('publish '))
        assert.deepEqual(others, [])
        return span!
      }
      /** The one transaction of a request's message, which saw what the request had. */
      const consumed = (request: string, inside: string) => {
        const [transaction, ...others] = below(spans, publishing(request), isConsumer)
        assert.deepEqual(others, [], request)
        const seen = below(spans, transaction!, (span) => span.name === inside)
        assert.deepEqual(
          seen.map(({ attributes: { tenant, plan } }) => [tenant, plan]),
          [[`tenant of ${request}`, 'gold']],
        )
        return transaction!
      }

      const common = {
        'messaging.system': 'rabbitmq',
        'server.address': 'localhost',
        'server.port': server.port,
        'messaging.rabbitmq.destination.routing_key': 'orders.new',
        'messaging.message.id': 'm1',
      }
      const topic = publishing('topic')
      assert.equal(topic.name, 'publish shop')
      assert.equal(topic.kind, KIND.producer)
      assert.deepEqual(attributesOf(topic), {
        ...common,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'shop:orders.new',
        'messaging.destination.template': 'shop',
      })
      const order = consumed('topic', 'in order')
      assert.equal(order.name, 'consume orders')
      assert.ok(order.flags & 0x200, 'its parent is remote')
      assert.deepEqual(attributesOf(order), {
        ...common,
        'messaging.operation.name': 'consume',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'shop:orders.new:orders',
        'messaging.destination.template': 'orders',
        'messaging.rabbitmq.message.delivery_tag':
          order.attributes['messaging.rabbitmq.message.delivery_tag'],
      })

      assert.equal(publishing('queue').attributes['messaging.destination.name'], 'mails')
      assert.equal(consumed('queue', 'in mail').status.code, 0)
      const failing = consumed('failing', 'in mail')
      assert.deepEqual(failing.status, { code: 2, message: 'No mail' })
      assert.deepEqual(
        spans.flatMap(({ events }) =>
          events.map((event) => [event.name, event.attributes['exception.message']]),
        ),
        [['exception', 'No mail']],
        'the failure is told once',
      )

      // Its handler has returned long before.
      const late = consumed('late', 'in mail')
      const [settling] = below(spans, late, (span) => span.name === 'settling')
      assert.ok(settling!.end <= late.end)

      consumed('confirmed', 'in mail')
      const confirmed = publishing('confirmed')
      const [afterwards] = below(
        spans,
        only(spans, 'confirmed'),
        (span) => span.name === 'after confirmation',
      )
      assert.ok(confirmed.end <= afterwards!.start, 'the span lasts until the server has confirmed')
      const wrong = publishing('wrong')
      assert.equal(wrong.attributes['error.type'], 'TypeError')

      // A context that the application gave a message stays.
      const given = publishing('given')
      assert.equal(given.kind, KIND.client)
      assert.deepEqual(
        spans.filter(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331').map((span) => span.name),
        ['consume mails'],
      )

      const pulled = publishing('pulled')
      const gets = below(spans, only(spans, 'get'))
      assert.deepEqual(
        gets.map((span) => [span.name, span.kind]),
        gets.map(() => ['get pulled', KIND.client]),
      )
      assert.deepEqual(gets.at(-1)!.links, [])
      assert.deepEqual(
        gets.flatMap(({ links }) => links),
        [{ traceId: pulled.traceId, spanId: pulled.spanId }],
      )
      assert.deepEqual(
        spans.filter((span) => span.name === 'get pulled' && span.parentSpanId === ''),
        [],
        'to have found nothing is of no interest by itself',
      )

      const callbacks = only(spans, 'callbacks')
      for (const what of ['after get', 'after consume']) {
        assert.equal(only(spans, what).parentSpanId, callbacks.spanId, what)
        assert.equal(only(spans, what).attributes['tenant'], 'tenant of callbacks')
      }
      assert.equal(only(spans, 'in callback').attributes['tenant'], 'tenant of callbacks')
      assert.deepEqual(below(spans, only(spans, 'connect')), [], 'a connection is nobody’s')
    })
  }

  it('are no spans where amqplib is left out', async () => {
    const spans = await run('amqplib', 'require', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'amqplib' })
    assert.deepEqual(
      spans.filter(({ kind }) => kind !== KIND.internal),
      [],
    )
  })
})
