import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const WAYS = [
  'timer',
  'immediate',
  'tick',
  'microtask',
  'floating',
  'rejected',
  'executor',
  'chain',
  'emitter',
  'stream',
  'transform',
  'callback',
  'abort',
  'aggregate',
  'text',
  'socket',
  'refused',
]

const REJECTIONS = new Set(['floating', 'rejected', 'executor', 'chain', 'aggregate', 'text', 'refused'])

/** Without the frames of what runs a function in a context: they are others with each context manager. */
const ownLines = (text: string): string[] =>
  text.split('\n').filter((line) => !/^ +at .*(\(node:|[\\/]dist[\\/]|@opentelemetry)/.test(line))

describe('an error that nobody catches', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const run = (args: string[], node: string[] = [], env: Record<string, string> = {}) =>
    runProgram(fixture('errors/lose.cjs'), {
      node,
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    })
  const exceptions = () =>
    receiver.spans.flatMap((span) =>
      span.events.filter(({ name }) => name === 'exception').map(({ attributes }) => ({ span, attributes })),
    )

  it('is told each time that it comes up, though it be the same instance', async () => {
    const { code } = await runProgram(fixture('errors/again.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.equal(code, 0)
    const told = exceptions().map(({ span }) => span.name)
    assert.deepEqual(told.sort(), ['inner', 'stray', 'stray twice', 'stray twice', 'thrown'])
  })

  for (const where of ['main', 'worker']) {
    for (const way of WAYS) {
      it(`${way}, ${where}: told once, on the span it belongs to; the program ends as without`, async () => {
        const args = where === 'main' ? [way] : [way, where]
        const plain = await run(args, ['--require', fixture('errors/storage.cjs')])
        const traced = await run(args, ['--require', PRELOAD])
        assert.deepEqual(
          { ...traced, stderr: ownLines(traced.stderr) },
          { ...plain, stderr: ownLines(plain.stderr) },
        )
        assert.equal(plain.code, where === 'main' ? 1 : 0)
        const [loser] = receiver.named('loser')
        const found = exceptions()
        // Before 24, Node tells of what a microtask throws in an execution of no one.
        if (way === 'microtask' && Number.parseInt(process.versions.node, 10) < 24)
          return assert.equal(found.length, 0)
        assert.equal(found.length, 1, JSON.stringify(found.map(({ attributes }) => attributes)))
        const { span, attributes } = found[0]!
        // On a span of its own beside the one that has ended.
        assert.equal(span.parentSpanId, loser!.spanId)
        assert.equal(span.status.code, 2)
        const origin = REJECTIONS.has(way) ? 'unhandledRejection' : 'uncaughtException'
        assert.equal(attributes['threadspan.error.origin'], origin)
        if (way === 'text') return assert.equal(attributes['exception.message'], 'no error at all')
        const stack = String(attributes['exception.stacktrace'])
        if (way === 'aggregate') {
          assert.equal(attributes['exception.type'], 'AggregateError')
          return assert.match(stack, /Error 2 of 2: .*nobody heard[\s\S]*lose\.cjs/)
        }
        assert.equal(attributes['exception.type'], 'LostError')
        assert.equal(attributes['threadspan.error.code'], 'LOST')
        assert.deepEqual(JSON.parse(String(attributes['threadspan.error.fields'])), { attempt: 3 })
        assert.match(String(attributes['threadspan.error.culprit']), /^errors\/lose\.cjs:\d+$/)
        assert.match(String(attributes['threadspan.error.fingerprint']), /^[0-9a-f]{16}$/)
        assert.match(stack, /nobody heard\n {4}at [\s\S]*\nCaused by: RangeError: the root of it\n {4}at /)
      })
    }
  }
})
