import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

const forms = {
  '--require': ['--require', PRELOAD],
  '--import': ['--import', pathToFileURL(PRELOAD).href],
}

describe('an unchanged program with a Piscina pool', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const run = (file: string, node: string[], args: string[] = []) =>
    runProgram(fixture(`e2e/${file}`), {
      node,
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })

  const byId = () => new Map(receiver.spans.map((span) => [span.spanId, span]))
  const parentOf = (span: ReceivedSpan) => byId().get(span.parentSpanId)

  for (const [form, node] of Object.entries(forms)) {
    for (const ending of ['destroy', 'close']) {
      it(`${form}: 1,000 tasks, then pool.${ending}(): every span arrives once, under its request`, async () => {
        const { code, stdout, stderr } = await run('pool.cjs', node, ['1000', ending])
        assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
        assert.equal(new Set(receiver.spans.map(({ spanId }) => spanId)).size, receiver.spans.length)
        const [request] = receiver.named('request')
        const work = receiver.named('work')
        assert.equal(work.length, 1000)
        assert.equal(new Set(work.map(({ attributes }) => attributes['n'])).size, 1000)
        const spans = byId()
        for (const span of work) {
          const runSpan = spans.get(span.parentSpanId)!
          const submit = spans.get(runSpan.parentSpanId)!
          assert.equal(submit.parentSpanId, request!.spanId)
          assert.equal(span.traceId, request!.traceId)
          // Not remote: a thread is no service of its own.
          assert.equal(runSpan.flags & 0x300, 0x100)
          assert.equal(runSpan.kind, 1)
          assert.equal(typeof runSpan.attributes['threadspan.queue.wait'], 'number')
          assert.ok(submit.start <= runSpan.start && runSpan.start <= span.start)
          assert.ok(span.end <= runSpan.end && runSpan.end <= submit.end)
        }
        const threads = new Set(work.map(({ attributes }) => attributes['thread.id']))
        assert.ok(!threads.has(request!.attributes['thread.id']))
      })
    }

    it(`${form}: ES modules, named exports, moved buffers, aborts and errors`, async () => {
      const plain = await run('pool.mjs', [])
      const { code, stdout, stderr } = await run('pool.mjs', node)
      assert.deepEqual([code, stdout, stderr], [plain.code, plain.stdout, plain.stderr])
      const [request] = receiver.named('request')
      for (const name of ['named work', 'sized work']) {
        const [span] = receiver.named(name)
        assert.equal(parentOf(parentOf(parentOf(span!)!)!), request)
      }
      assert.equal(receiver.named('work').length, 2)
      const failed = receiver.spans.filter(({ status }) => status.code === 2).map(({ name }) => name)
      assert.ok(failed.includes('run handlers.fails'), failed.join())
      const [error] = receiver.named('run handlers.fails')[0]!.events
      assert.equal(error!.attributes['exception.type'], 'RangeError')
      assert.match(String(error!.attributes['exception.stacktrace']), /handlers\.mjs/)
    })
  }

  it('two requests share a pool: each span is under the request that submitted its task', async () => {
    const { code, stderr } = await run('two-requests.cjs', forms['--require'])
    assert.deepEqual([code, stderr], [0, ''])
    const spans = byId()
    for (const name of ['first', 'second']) {
      const [request] = receiver.named(name)
      for (const when of ['early', 'late']) {
        const work = receiver.named(`${when} ${name}`)
        assert.equal(work.length, 20)
        for (const span of work) {
          assert.equal(span.traceId, request!.traceId)
          const submit = spans.get(spans.get(span.parentSpanId)!.parentSpanId)!
          assert.equal(submit.parentSpanId, request!.spanId)
        }
      }
      // They ran side by side, and show it.
      const runs = receiver.spans.filter(
        ({ name: text, traceId }) => text === 'run waiting' && traceId === request!.traceId,
      )
      const overlaps = runs.some((one) =>
        runs.some((two) => one !== two && one.start < two.end && two.start < one.end),
      )
      assert.ok(overlaps)
    }
    const requests = new Set([receiver.named('first')[0]!.traceId, receiver.named('second')[0]!.traceId])
    const strays = [...receiver.named('early stray'), ...receiver.named('late stray')]
    assert.equal(strays.length, 40)
    for (const span of strays) assert.ok(!requests.has(span.traceId) && span.parentSpanId === '')
  })
})
