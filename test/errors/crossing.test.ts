import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

let receiver: Receiver
before(async () => {
  receiver = await Receiver.start()
})
after(() => receiver.close())
beforeEach(() => {
  receiver.spans.length = 0
})

const run = (args: string[], node: string[]) =>
  runProgram(fixture('errors/crossing.cjs'), {
    args,
    node,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
  })
/** The `exception` events of the spans that have this name and lie below one of that name. */
const events = (name: string, below: string) => {
  const parents = new Set(receiver.named(below).map(({ spanId }) => spanId))
  return receiver
    .named(name)
    .filter(({ parentSpanId }) => parents.has(parentSpanId))
    .flatMap((span: ReceivedSpan) => span.events.map(({ attributes }) => ({ span, attributes })))
}

describe('an error that crosses from a worker', () => {
  for (const where of ['main', 'worker']) {
    for (const kind of ['cjs', 'mjs']) {
      it(`of a pool, ${where}, .${kind}: the submitter's span tells what it was; the program gets what it got`, async () => {
        const args = where === 'main' ? [kind] : [kind, where]
        const plain = await run(args, [])
        const traced = await run(args, ['--require', PRELOAD])
        assert.deepEqual(traced, plain)
        assert.equal(plain.code, 0, plain.stderr)

        for (const way of ['throws', 'rejects']) {
          const [event, ...others] = events(`task crossing-task.${way}`, way)
          assert.equal(others.length, 0)
          const { span, attributes } = event!
          assert.equal(attributes['exception.type'], 'OrderError')
          assert.equal(attributes['exception.message'], 'cannot be sent')
          assert.equal(attributes['threadspan.error.code'], 'E_ORDER')
          assert.equal(attributes['threadspan.error.fields'], '{"order":7}')
          assert.deepEqual(
            [span.status, span.attributes['error.type']],
            [{ code: 2, message: 'cannot be sent' }, 'OrderError'],
          )
          const stack = String(attributes['exception.stacktrace'])
          const [own, awaiting] = stack.split('\nAwaited by:\n')
          assert.match(own!, new RegExp(`^Error: cannot be sent\n.*${way}.*crossing-task\\.`, 's'))
          assert.match(own!, /Caused by: TypeError: no stock/)
          assert.match(awaiting!, /^ {4}at async submit \(.*crossing\.cjs:\d+:\d+\)$/m)
          // The worker's own span tells of the same.
          const [ran] = events(`run crossing-task.${way}`, `task crossing-task.${way}`)
          assert.equal(
            ran!.attributes['threadspan.error.fingerprint'],
            attributes['threadspan.error.fingerprint'],
          )
          // And the span around, from which the error did not escape, of nothing.
          assert.deepEqual(receiver.named(way)[0]!.events, [])
        }
        const of = (way: string) => events(`task crossing-task.${way}`, way)[0]?.attributes
        assert.match(String(of('aggregate')!['exception.stacktrace']), /Error 2 of 2: Error: two/)
        assert.equal(of('system')!['threadspan.error.code'], 'ENOENT')
        assert.match(
          String(of('system')!['threadspan.error.fields']),
          /"syscall":"open","path":"\/nowhere\/at all"/,
        )
        assert.equal(of('text')!['exception.message'], 'just a text')
        assert.equal(of('nothing')!['exception.type'], 'undefined')
        assert.equal(of('object')!['exception.type'], 'object')
      })
    }
  }

  it('by hand: it is told by the task and not again by the spans that it passes; captured, it is what it was', async () => {
    const { code, stdout, stderr } = await runProgram(fixture('errors/crossing-by-hand.mjs'), {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.deepEqual([code, stdout, stderr], [0, 'Error cause,message,stack\n', ''])
    const [task] = events('task crossing-by-hand-task', 'passes on')
    assert.equal(task!.attributes['exception.type'], 'OrderError')
    assert.match(
      String(task!.attributes['exception.stacktrace']),
      /\nAwaited by:\n {4}at async submit \(.*crossing-by-hand\.mjs:\d+:\d+\)/,
    )
    for (const name of ['passes on', 'lets go']) {
      const [span] = receiver.named(name)
      assert.deepEqual([span!.events, span!.status.code], [[], 2])
      assert.equal(span!.attributes['error.type'], 'OrderError')
    }
    const [captured] = receiver.named('deals with')[0]!.events
    assert.equal(captured!.attributes['exception.type'], 'OrderError')
    assert.equal(captured!.attributes['threadspan.error.fields'], '{"order":8}')
    assert.equal(captured!.attributes['extra'], 'x')
    const [alone] = events('task crossing-by-hand-task', 'awaits nothing')
    assert.equal(alone!.attributes['threadspan.error.code'], 'E_ORDER')
    assert.doesNotMatch(String(alone!.attributes['exception.stacktrace']), /Awaited by/)
  })

  for (const [way, type, code] of [
    ['throws', 'OrderError', 'E_ORDER'],
    ['rejects', 'OrderError', 'E_ORDER'],
    ['survives', 'TypeError', undefined],
  ] as const) {
    it(`of a Worker that it ends, ${way}: told here as what it was there; the program gets what it got`, async () => {
      const program = (node: string[]) =>
        runProgram(fixture('errors/crossing-worker.cjs'), {
          args: [way],
          node,
          env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
        })
      const plain = await program([])
      const traced = await program(['--require', PRELOAD])
      assert.deepEqual([traced.code, traced.stdout], [plain.code, plain.stdout])
      const { attributes } = receiver.spans.find(({ name }) => name === `error ${type}`)!.events[0]!
      assert.equal(attributes['exception.type'], type)
      assert.equal(attributes['threadspan.error.code'], code)
      if (type !== 'OrderError') return
      assert.match(String(attributes['threadspan.error.fields']), /"order":[78]/)
      assert.match(
        String(attributes['exception.stacktrace']),
        /Caused by: TypeError: no stock(?:.|\n)*\nWorker made by:\n {4}at inWorker \(.*crossing-worker\.cjs:\d+:\d+\)/,
      )
    })
  }
})
