import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

let receiver: Receiver
before(async () => {
  receiver = await Receiver.start()
})
after(() => receiver.close())

it('no span begins before or ends after the one that encloses it, in any thread or process', async () => {
  const pairs = 1700
  await runProgram(fixture('relay/nested.cjs'), {
    args: [String(pairs)],
    node: ['--require', PRELOAD],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
  })
  const spans = new Map(receiver.spans.map((span) => [span.spanId, span]))
  assert.equal(receiver.named('inner').length, 3 * pairs)
  assert.equal(receiver.named('outer').length, 3 * pairs)
  let enclosed = 0
  for (const span of receiver.spans) {
    assert.ok(span.start <= span.end, span.name)
    const parent = spans.get(span.parentSpanId)
    if (parent === undefined) continue
    enclosed++
    assert.ok(parent.start <= span.start, `${span.name} begins before ${parent.name}`)
    assert.ok(span.end <= parent.end, `${span.name} ends after ${parent.name}`)
  }
  // Each inner one, and the outer ones of Worker and child, have their parents.
  assert.ok(enclosed >= 5 * pairs, String(enclosed))
})
