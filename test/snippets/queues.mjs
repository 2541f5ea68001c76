import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { capture, propagate, Snapshot, start, withSpan, withTransaction } from 'threadspan'

start()
const tenant = new AsyncLocalStorage()
propagate(tenant, { name: 'tenant' })
const handled = []
const seen = () => [trace.getActiveSpan().spanContext().traceId, tenant.getStore()]
const handle = () => handled.push(seen())

/** Stands for a client of any queue: it takes text, and hands it out elsewhere. */
const channel = {
  texts: [],
  push: (text) => channel.texts.push(text),
  async consume(handler) {
    for (const text of channel.texts.splice(0)) await handler(text)
  },
}

// #region send
const about = { 'messaging.system': 'my-queue', 'messaging.destination.name': 'emails' }

async function publish(body) {
  const attributes = { ...about, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' }
  await withSpan({ name: 'send emails', kind: SpanKind.PRODUCER, attributes }, () =>
    channel.push(JSON.stringify({ context: capture().toCarrier(), body })),
  )
}
// #endregion

// #region process
function processed(text) {
  const { context, body } = JSON.parse(text)
  const attributes = {
    ...about,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
  }
  return Snapshot.from(context).run(() =>
    withTransaction({ name: 'process emails', kind: SpanKind.CONSUMER, attributes }, () => handle(body)),
  )
}
// #endregion

let traceId
await tenant.run('a', () =>
  withTransaction('request', () => {
    traceId = seen()[0]
    return publish('to: b')
  }),
)
await channel.consume(processed)
assert.deepEqual(handled, [[traceId, 'a']])

// #region inject
function headersOf() {
  const headers = {}
  propagation.inject(context.active(), headers) // traceparent, tracestate, baggage: what OTEL_PROPAGATORS says
  return headers
}
// #endregion

// #region extract
const receive = (headers, body) =>
  context.with(propagation.extract(ROOT_CONTEXT, headers), () =>
    withTransaction({ name: 'process emails', kind: SpanKind.CONSUMER }, () => handle(body)),
  )
// #endregion

await withTransaction('request', async () => {
  traceId = seen()[0]
  const headers = headersOf()
  await channel.push(JSON.stringify({ headers, body: 'to: c' }))
})
await channel.consume((text) => {
  const { headers, body } = JSON.parse(text)
  return receive(headers, body)
})
assert.deepEqual(handled.at(-1), [traceId, undefined])
