import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

describe('an unchanged program with Workers and children', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const run = (file: string) =>
    runProgram(fixture(`e2e/${file}`), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
  const one = (name: string): ReceivedSpan => {
    const spans = receiver.named(name)
    assert.equal(spans.length, 1, `${spans.length} spans named ${name}`)
    return spans[0]!
  }

  it('Workers from files, URLs, code and data, without options and environment, and nested', async () => {
    const { code, stderr } = await run('workers.cjs')
    assert.deepEqual([code, stderr], [0, ''])
    const request = one('request')
    for (const name of ['file', 'url', 'no execArgv', 'no env', 'nesting', 'eval', 'data', 'outer']) {
      const span = one(name)
      assert.deepEqual([span.traceId, span.parentSpanId], [request.traceId, request.spanId], name)
      assert.equal(span.flags & 0x300, 0x100, name)
      assert.notEqual(span.attributes['thread.id'], request.attributes['thread.id'])
      assert.ok(span.start >= request.start && span.end <= request.end, name)
    }
    assert.equal(one('nested').parentSpanId, one('outer').spanId)
    assert.equal(one('file').attributes['thread.name'], 'my worker')
  })

  it('a child that is told of another exporter keeps it, and its parent', async () => {
    const other = await Receiver.start()
    const { code, stderr } = await runProgram(fixture('e2e/own-exporter.cjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTHER: other.endpoint },
    })
    await other.close()
    assert.deepEqual([code, stderr], [0, ''])
    const request = one('request')
    const names = (spans: readonly ReceivedSpan[]) => spans.map(({ name }) => name).sort()
    assert.deepEqual(names(other.spans), ['inner other', 'other, by a file', 'outer other', 'spawn node'])
    assert.deepEqual(names(receiver.spans.filter(({ name }) => name !== 'spawn node')), [
      'inner same',
      'no environment',
      'outer same',
      'request',
      'same, alone',
    ])
    for (const { name, traceId, parentSpanId } of [...other.spans, ...receiver.spans]) {
      if (name === 'request') continue
      assert.equal(traceId, request.traceId, name)
      assert.notEqual(parentSpanId, '', name)
    }
  })

  it('children by every function of child_process', async () => {
    const { code, stdout, stderr } = await run('children.cjs')
    assert.deepEqual([code, stderr], [0, ''])
    const [traceparent, codes] = stdout.trim().split('\n')
    assert.equal(codes, '0,0,0,0,0,0')
    const request = one('request')
    const spawned = new Map(
      receiver.spans.filter(({ name }) => name.startsWith('spawn ')).map((span) => [span.spanId, span]),
    )
    for (const name of [
      'fork',
      'spawn',
      'execFile',
      'exec',
      'execFileSync',
      'execSync',
      'spawnSync',
      'in worker',
      'from worker',
    ]) {
      const span = one(name)
      const parent = spawned.get(span.parentSpanId)
      assert.equal(parent?.parentSpanId, request.spanId, name)
      assert.equal(span.traceId, request.traceId)
      assert.notEqual(span.resource['process.pid'], request.resource['process.pid'])
      assert.ok(span.start >= parent!.start && span.end <= parent!.end, name)
      assert.equal(parent!.attributes['process.exit.code'], 0, name)
    }
    // A child that is no Node program can go on with the trace too.
    const [, traceId, parentId] = traceparent!.split('-')
    assert.equal(traceId, request.traceId)
    assert.ok(spawned.has(parentId!))
  })
})
