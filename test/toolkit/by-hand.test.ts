import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { after, describe, it } from 'node:test'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { trace } from '@opentelemetry/api'
import { fixture } from '../support/program.js'

process.env['OTEL_TRACES_EXPORTER'] = 'none'

import * as face from '#dist/index.js'

const {
  capture,
  counters,
  propagate,
  start,
  traceChild,
  traceWorker,
  untrace,
  withCarrier,
  withSpan,
  wrapHandler,
} = face

start()
const request = new AsyncLocalStorage<string>()
propagate(request, { name: 'request' })
const traceId = () => trace.getActiveSpan()?.spanContext().traceId ?? null

/** Resolves in whatever context the message arrives in. */
const next = (target: EventEmitter, wanted: (message: Record<string, unknown>) => boolean) =>
  new Promise<{ message: Record<string, unknown>; request: unknown; trace: unknown }>((done) => {
    const listener = (message: Record<string, unknown>): void => {
      if (!wanted(message)) return
      target.off('message', listener)
      done({ message, request: request.getStore() ?? null, trace: traceId() })
    }
    target.on('message', listener)
  })

describe('traceWorker', () => {
  const worker = traceWorker(new Worker(fixture('toolkit/worker.mjs')))
  after(() => worker.terminate())

  it('carries context there and back; an unaware handler sees one property more', async () => {
    const aware = next(worker, (message) => 'aware' in message)
    const plain = next(worker, (message) => 'plain' in message)
    const expected = request.run('r1', () =>
      withSpan('request', () => {
        worker.postMessage({ job: 1 })
        return traceId()
      }),
    )
    const answer = await aware
    assert.deepEqual(answer.message, { aware: { job: 1 }, request: 'r1', parent: expected })
    assert.deepEqual([answer.request, answer.trace], ['r1', expected])
    const { job, ...rest } = (await plain).message['plain'] as Record<string, unknown>
    assert.deepEqual([job, Object.keys(rest)], [1, ['threadspan']])
  })

  it('a message without a context runs in none', async () => {
    const aware = next(worker, (message) => 'aware' in message)
    worker.postMessage({ job: 2 })
    assert.deepEqual((await aware).message, { aware: { job: 2 }, request: null, parent: null })
  })

  it('what is no plain object goes as it is, and is counted', async () => {
    const before = counters().get('message.form') ?? 0
    const plain = next(worker, (message) => 'plain' in message)
    request.run('r2', () => worker.postMessage(new Map([[1, 2]])))
    assert.deepEqual((await plain).message['plain'], new Map([[1, 2]]))
    assert.equal(counters().get('message.form'), before + 1)
  })

  it('twice is once, untrace undoes it, and what is no Worker is refused', () => {
    const { postMessage } = worker
    assert.equal(traceWorker(worker).postMessage, postMessage)
    assert.equal(postMessage.name, 'postMessage')
    assert.deepEqual(Object.keys(worker).includes('postMessage'), false)
    untrace(worker)
    assert.equal(worker.postMessage, Worker.prototype.postMessage)
    assert.equal(worker.emit, EventEmitter.prototype.emit)
    const { port1, port2 } = new MessageChannel()
    assert.throws(() => traceWorker(port1 as never), { code: 'THREADSPAN_INVALID_ARGUMENT' })
    assert.throws(() => traceChild({} as never), { code: 'THREADSPAN_INVALID_ARGUMENT' })
    port1.close()
    port2.close()
  })
})

it('traceChild carries context over IPC, both ways', async () => {
  const child = traceChild(fork(fixture('toolkit/child.mjs')))
  const answered = next(child, () => true)
  request.run('r3', () => child.send({ job: 3 }))
  const { message, request: here } = await answered
  assert.deepEqual(message, { message: { job: 3 }, request: 'r3' })
  assert.equal(here, 'r3')
  child.send('end')
  await once(child, 'exit')
})

describe('wrapHandler', () => {
  it('takes the carrier from where a protocol keeps it, and makes a span', () => {
    const job = request.run('r4', () =>
      withSpan('enqueue', () => ({ data: 1, headers: capture().toCarrier() })),
    )
    const handler = wrapHandler(
      (message: typeof job, extra: string) => [message, extra, request.getStore(), traceId()],
      { carrier: ({ headers }) => headers, span: 'work' },
    )
    assert.deepEqual(handler(JSON.parse(JSON.stringify(job)), 'x'), [
      job,
      'x',
      'r4',
      job.headers.traceparent!.slice(3, 35),
    ])
    assert.equal(handler.length, 2)
    assert.equal(wrapHandler(handler), handler)
  })

  it('MessageEvents: the handler gets the event, in the context of its data', async () => {
    const { port1, port2 } = new MessageChannel()
    const seen = new Promise((done) => {
      ;(port2 as MessagePort & { onmessage: unknown }).onmessage = wrapHandler((event: { data: object }) =>
        done([Object.keys(event.data), request.getStore()]),
      )
    })
    request.run('r5', () => port1.postMessage(withCarrier({ a: 1 })))
    assert.deepEqual(await seen, [['a', 'threadspan'], 'r5'])
    port1.close()
  })

  it('whatever arrives, the handler runs', () => {
    const handler = wrapHandler((message: unknown) => message)
    const throwing = wrapHandler((message: unknown) => message, {
      carrier: () => {
        throw new Error('no')
      },
    })
    for (const message of [undefined, null, 1, 'x', []]) {
      assert.equal(handler(message), message)
      assert.equal(throwing(message), message)
    }
    assert.deepEqual(handler({ threadspan: { baggage: {} } }), {})
  })

  it('a property of the application’s own that has the name stays, on both sides', () => {
    const handler = wrapHandler((message: unknown) => message)
    for (const own of ['v1', 1, null, [], {}, { version: 1 }, { traceparent: 'mine' }, { traceparent: {} }]) {
      const message = { threadspan: own, b: 2 }
      assert.equal(handler(message), message)
      request.run('r6', () => assert.equal(withCarrier(message), message))
    }
    const bare = request.run('r7', () => withCarrier(Object.assign(Object.create(null) as object, { b: 2 })))
    assert.equal(Object.getPrototypeOf(bare), null)
    assert.deepEqual(Object.keys(bare), ['b', 'threadspan'])
    const inherited = Object.create({ threadspan: { values: {} } }) as object
    assert.equal(handler(inherited), inherited)
  })
})
