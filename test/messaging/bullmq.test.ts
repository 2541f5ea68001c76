import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noRedis, startRedis } from '../support/databases.js'
import type { ReceivedSpan } from '../support/receiver.js'
import { attributesOf, below, KIND, only, runQueue } from './support.js'

const isConsumer = ({ kind }: ReceivedSpan) => kind === KIND.consumer
const isSend = ({ kind }: ReceivedSpan) => kind === KIND.producer || kind === KIND.client

describe('jobs of BullMQ', { skip: noRedis }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startRedis()
  })
  after(() => server?.stop())

  /** Adds in one process, processes in another. */
  function run(name: string, form: string, where: string, telemetry = '', env?: Record<string, string>) {
    const programs = ['add', 'process'].map((role) => [name, form, role, where, telemetry])
    return runQueue({ scenario: 'bullmq', programs, port: server.port, ...(env !== undefined && { env }) })
  }

  /** The one span that added the jobs of a request. */
  function adding(spans: readonly ReceivedSpan[], request: string): ReceivedSpan {
    const added = below(spans, only(spans, request), isSend)
    assert.equal(added.length, 1, request)
    return added[0]!
  }

  /** The transactions of a request's jobs, and what each job saw of the request. */
  function processed(spans: readonly ReceivedSpan[], request: string): ReceivedSpan[] {
    const transactions = below(spans, adding(spans, request), isConsumer)
    for (const transaction of transactions) {
      const inside = below(spans, transaction)
      const run = inside.find(({ name }) => name === 'run bullmq-processor')
      const seen = (run === undefined ? inside : below(spans, run)).filter(({ name }) => /^in /.test(name))
      assert.deepEqual(
        seen.map(({ attributes: { tenant, plan } }) => [tenant, plan]),
        [[`tenant of ${request}`, 'gold']],
      )
    }
    return transactions
  }

  const RUNS = [
    ['bullmq', 'require', 'main'],
    ['bullmq', 'import', 'process'],
    ['bullmq', 'require', 'thread'],
    ['bullmq-5', 'import', 'main'],
    ['bullmq-5', 'require', 'process'],
    ['bullmq-5', 'require', 'thread'],
  ] as const
  for (const [name, form, where] of RUNS) {
    it(`are transactions below the span that added them: ${name} by ${form}, in ${where}`, async () => {
      const spans = await run(name, form, where)

      const add = adding(spans, 'one')
      assert.equal(add.name, 'add emails')
      assert.equal(add.kind, KIND.producer)
      const server_ = { 'server.address': '127.0.0.1', 'server.port': server.port }
      const job = { 'messaging.message.id': '1', 'bullmq.job.name': 'greet' }
      assert.deepEqual(attributesOf(add), {
        'messaging.system': 'bullmq',
        'messaging.operation.name': 'add',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'emails',
        ...server_,
        ...job,
      })
      const [one, ...others] = processed(spans, 'one')
      assert.deepEqual(others, [])
      assert.equal(one!.name, 'process emails')
      assert.ok(one!.flags & 0x200, 'its parent is remote')
      assert.deepEqual(attributesOf(one!), {
        'messaging.system': 'bullmq',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'emails',
        ...server_,
        ...job,
        'bullmq.job.attempts.made': 1,
      })

      const attempts = processed(spans, 'failing')
      assert.deepEqual(
        attempts.map(({ attributes, status, events }) => [
          attributes['bullmq.job.attempts.made'],
          attributes['error.type'],
          status,
          events.map(({ name, attributes: told }) => [name, told['exception.message']]),
        ]),
        [1, 2].map((attempt) => [
          attempt,
          where === 'main' ? 'TypeError' : 'Error',
          { code: 2, message: 'No such mailbox' },
          [['exception', 'No such mailbox']],
        ]),
      )
      const told = spans.flatMap(({ events }) => events).filter((event) => event.name === 'exception')
      assert.equal(told.length, 2, 'each failure is told once')

      // It went on later, which is none.
      const later = processed(spans, 'later')
      assert.ok(later.length >= 2)
      for (const { status } of later) assert.equal(status.code, 0)

      assert.equal(adding(spans, 'bulk').attributes['messaging.batch.message_count'], 2)
      assert.equal(processed(spans, 'bulk').length, 2)
      assert.equal(adding(spans, 'flow').attributes['messaging.batch.message_count'], 3)
      assert.deepEqual(
        processed(spans, 'flow')
          .map(({ attributes }) => attributes['bullmq.job.name'])
          .sort(),
        ['child 1', 'child 2', 'parent'],
      )

      // Each of them is a trace of its own, which tells where it comes from.
      const schedule = adding(spans, 'schedule')
      const ticks = spans.filter((span) => isConsumer(span) && span.attributes['bullmq.job.name'] === 'tick')
      assert.equal(ticks.length, 2)
      for (const { parentSpanId, traceId, links } of ticks) {
        assert.equal(parentSpanId, '')
        assert.notEqual(traceId, schedule.traceId)
        assert.deepEqual(links, [{ traceId: schedule.traceId, spanId: schedule.spanId }])
      }

      const wrong = adding(spans, 'wrong')
      assert.equal(wrong.status.code, 2)
      assert.equal(wrong.attributes['error.type'], 'Error')

      // The application wants nothing to go along.
      const none = adding(spans, 'none')
      assert.equal(none.kind, KIND.client)
      assert.deepEqual(below(spans, none, isConsumer), [])
      assert.equal(only(spans, 'in none').attributes['tenant'], 'none')

      // What is told of a job is told where it ran; the loops are nobody's, and make no spans.
      const completed = spans.filter((span) => span.name === 'completed parent')
      assert.equal(completed.length, 1)
      assert.equal(completed[0]!.attributes['tenant'], 'tenant of flow')
      assert.deepEqual(below(spans, only(spans, 'run')), [])
      const events = spans.filter((span) => span.name === 'told of a job')
      assert.ok(events.length > 0)
      for (const { parentSpanId, attributes } of events)
        assert.deepEqual([parentSpanId, attributes['tenant']], ['', 'none'])
      assert.deepEqual(
        spans.filter((span) => /^(?:BZPOPMIN|XREAD)/.test(span.name)),
        [],
      )
    })
  }

  const NAMES = { own: /^(?:add|addBulk|process) emails$/, bullmq: /^(?:add emails\.greet|process emails)$/ }
  for (const telemetry of ['add', 'process', 'add,process']) {
    it(`are spans of BullMQ's own telemetry where ${telemetry} has it, and no others beside them`, async () => {
      const spans = await run('bullmq', 'require', 'main', telemetry)
      const add = adding(spans, 'one')
      assert.match(add.name, telemetry.includes('add') ? NAMES.bullmq : NAMES.own)
      assert.equal('messaging.system' in add.attributes, !telemetry.includes('add'))
      const [one, ...others] = processed(spans, 'one')
      assert.deepEqual(others, [])
      assert.equal('messaging.system' in one!.attributes, !telemetry.includes('process'))
      assert.equal('bullmq.worker.id' in one!.attributes, telemetry.includes('process'))
    })
  }

  it('are no spans where BullMQ is left out', async () => {
    const spans = await run('bullmq', 'require', 'main', '', {
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'bullmq',
    })
    assert.deepEqual(
      spans.filter(({ kind }) => kind === KIND.producer || kind === KIND.consumer),
      [],
    )
  })
})
