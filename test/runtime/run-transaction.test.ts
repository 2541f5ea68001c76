import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

async function spansOf(how: string, name: string, file = 'script.cjs') {
  const receiver = await Receiver.start()
  const { code, stdout } = await runProgram(fixture(`runtime/${file}`), {
    node: ['--require', PRELOAD],
    args: [how],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, THREADSPAN_TRANSACTION: name },
  })
  await receiver.close()
  return { code, stdout, spans: receiver.spans, named: (what: string) => receiver.named(what) }
}

describe('the transaction of a whole run', () => {
  it('is above all that the script does, in Workers and children too', async () => {
    const { code, stdout, spans, named } = await spansOf('', 'nightly report')
    // The program sees its environment as it was.
    assert.deepEqual([code, stdout], [0, 'nightly report\n'])
    const [run, ...others] = named('nightly report')
    assert.deepEqual(others, [])
    assert.equal(run!.parentSpanId, '')
    assert.equal(run!.attributes['process.exit.code'], 0)
    assert.equal(run!.status.code, 0)
    const below = (what: string) => named(what).map(({ parentSpanId }) => parentSpanId)
    assert.deepEqual(below('step'), [run!.spanId])
    assert.deepEqual(below('in worker'), [run!.spanId])
    assert.deepEqual(below('spawn node'), [run!.spanId])
    assert.deepEqual(below('in child'), [named('spawn node')[0]!.spanId])
    // The script's own call of its server is part of the run, by the header that it sent.
    const [client, server] = [3, 2].map(
      (kind) => spans.find((span) => span.name === 'GET' && span.kind === kind)!,
    )
    assert.equal(client!.parentSpanId, run!.spanId)
    assert.equal(server!.parentSpanId, client!.spanId)
    for (const { start, end } of spans) assert.ok(start >= run!.start && end <= run!.end)
  })

  it('tells how the program ended', async () => {
    const failed = (await spansOf('exit', 'job')).named('job')[0]!
    assert.deepEqual(failed.status, { code: 2, message: 'process exited with code 3' })
    assert.equal(failed.attributes['process.exit.code'], 3)
    const thrown = await spansOf('throw', 'job')
    assert.equal(thrown.code, 1)
    const told = thrown.spans.flatMap(({ events }) => events)
    assert.deepEqual(
      told.map(({ attributes }) => attributes['exception.type']),
      ['RangeError'],
    )
  })

  it('is none where the name is empty', async () => {
    const { spans, code } = await spansOf('', ' ')
    assert.equal(code, 0)
    assert.equal(spans.find(({ name }) => name === 'step')!.parentSpanId, '')
  })

  it("is begun by the script alone, and not once more by its pool's child processes", async () => {
    const { named } = await spansOf('', 'nightly report', 'pool-child.cjs')
    const [run, ...others] = named('nightly report')
    assert.deepEqual(others, [])
    assert.equal(named('work')[0]!.traceId, run!.traceId)
  })
})
